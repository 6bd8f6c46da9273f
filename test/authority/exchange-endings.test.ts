import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  Cleanup,
  compose,
  startTestGateway,
  type TestGateway,
  TestSubgraph,
  until,
} from '../gateway/support.js';
import { type ExchangingAuthority, jtiOf, startExchangingAuthority } from './exchange-setup.js';
import { claimsOf } from './oauth-setup.js';
import { AUDIENCE, STREAM_SECRET } from './setup.js';

const BY_ADMIN = { by: 'admin-iris', initiator: 'admin' } as const;

const cleanup = new Cleanup();
let authority: ExchangingAuthority;
let gateway: TestGateway;
beforeAll(async () => {
  authority = await startExchangingAuthority();
  const people = await TestSubgraph.start('people');
  cleanup.add(() => people.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: authority.issuer, audience: AUDIENCE }],
    revocation: { streams: [{ issuer: authority.issuer, secret: STREAM_SECRET }] },
  });
  await until(() => gateway.running.gateway.health().revocation === 'fresh', 'the view is fresh');
});
afterAll(async () => {
  await cleanup.run();
  await authority.close();
});

async function statusAt(token: string): Promise<number> {
  return (await gateway.ask('{ mine }', { token })).status;
}

/** A token, a chain of tokens exchanged from it, and an independent one. */
async function family() {
  const { access_token: root } = await authority.signIn();
  const first = await authority.exchange('statements', root);
  const second = await authority.exchange('archive', first);
  const third = await authority.exchange('printer', second);
  const { access_token: other } = await authority.signIn();
  const cousin = await authority.exchange('statements', other);
  return { root, first, second, third, other, cousin };
}

type Member = keyof Awaited<ReturnType<typeof family>>;

async function expectEnded(tokens: Awaited<ReturnType<typeof family>>, ended: readonly Member[]) {
  for (const [name, token] of Object.entries(tokens) as [Member, string][]) {
    const isOver = ended.includes(name);
    if (isOver) await until(async () => (await statusAt(token)) === 401, `${name} refused`);
    else expect([name, await statusAt(token)]).toEqual([name, 200]);
    expect([name, await authority.isActive(token)]).toEqual([name, !isOver]);
    expect([name, await authority.isListedAsRevoked(token)]).toEqual([name, isOver]);
  }
}

describe('RFC 8693: exchanged tokens end with their subject token everywhere', () => {
  it.each<[Member, readonly Member[]]>([
    ['root', ['root', 'first', 'second', 'third']],
    ['first', ['first', 'second', 'third']],
    ['second', ['second', 'third']],
    ['third', ['third']],
  ])('revokeToken of the %s', async (named, ended) => {
    const tokens = await family();
    for (const token of Object.values(tokens)) expect(await statusAt(token)).toBe(200);
    const { outcome } = await authority.consents.revokeToken(jtiOf(tokens[named]), BY_ADMIN);
    expect(outcome).toBe('done');
    await expectEnded(tokens, ended);
    if (!ended.includes('second')) return;
    await expect(authority.exchange('printer', tokens.second)).rejects.toMatchObject({
      error: 'invalid_request',
    });
  });

  it('RFC 7009: its client revokes it', async () => {
    const tokens = await family();
    expect(await authority.revokeAt7009('budget-app', tokens.root)).toBe(200);
    await expectEnded(tokens, ['root', 'first', 'second', 'third']);
  });

  it('a token exchanged during a revocation is revoked too', async () => {
    const { access_token: root } = await authority.signIn();
    const [exchanges] = await Promise.all([
      Promise.allSettled(Array.from({ length: 8 }, () => authority.exchange('statements', root))),
      authority.consents.revokeToken(jtiOf(root), BY_ADMIN),
    ]);
    await until(async () => (await statusAt(root)) === 401, 'the token is refused');
    for (const exchanged of exchanges) {
      if (exchanged.status === 'rejected') continue;
      expect(await statusAt(exchanged.value)).toBe(401);
      expect(await authority.isActive(exchanged.value)).toBe(false);
    }
  });

  it('one event ends them all, however many there are', async () => {
    const { access_token: root } = await authority.signIn();
    const many = await Promise.all(Array.from({ length: 20 }, () => authority.exchange('statements', root)));
    const count = async () =>
      (await authority.database.db.selectFrom('authority.change_event').select('seq').execute()).length;
    const before = await count();
    await authority.consents.revokeToken(jtiOf(root), BY_ADMIN);
    expect(await count()).toBe(before + 1);
    for (const token of many)
      await until(async () => (await statusAt(token)) === 401, 'the token is refused');
  });
});

describe('an exchanged token’s status list entry reflects what ends it', () => {
  it('the session in which the person signed in', async () => {
    const tokens = await family();
    const { sid } = claimsOf({ access_token: tokens.root }) as { readonly sid?: string };
    await authority.consents.revokeSession(sid ?? '', BY_ADMIN);
    await expectEnded(tokens, ['root', 'first', 'second', 'third']);
  });

  it('a client that acts in it', async () => {
    const tokens = await family();
    await authority.consents.revokeClient('archive', BY_ADMIN);
    await expectEnded(tokens, ['second', 'third']);
  });
});
