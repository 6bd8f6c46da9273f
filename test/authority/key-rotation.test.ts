import { randomBytes } from 'node:crypto';

import { createLocalJWKSet, decodeProtectedHeader, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { afterEach, describe, expect, it } from 'vitest';

import { type Authority, type AuthorityOptions, startAuthority } from '../../authority/index.js';
import { revokeSigningKey, rotateSigningKeys, type Rotation } from '../../authority/internal.js';
import { SealedSecrets } from '../../authority/keys/sealed.js';
import { sealedName } from '../../authority/keys/tend.js';
import { MAX_SIGNED_LIFE_SECONDS, PUBLISH_AHEAD_SECONDS } from '../../authority/keys/times.js';
import { ACCESS_TOKEN_SECONDS } from '../../authority/oidc/lifetimes.js';
import { LIST_LIFE_SECONDS } from '../../authority/status/register.js';
import { rotateKeys } from '../../cli/actions/rotate-keys.js';
import { checkPolicy } from '../../policy/index.js';
import { Cleanup, compose, startTestGateway, TestSubgraph, until } from '../gateway/support.js';
import { signInAndConsent } from '../support/person.js';
import {
  AUDIENCE,
  authorizationRequest,
  discover,
  exchange,
  POLICY_FILE,
  startTestAuthority,
  STREAM_SECRET,
  type TestAuthority,
  withPolicy,
  withDemo,
} from './setup.js';

const ALMA = { user: 'alma', password: 'alma-demo' };
const NOOR = { user: 'noor', password: 'noor-demo' };
const IRIS = { user: 'iris', password: 'iris-demo' };
const BY_ADMIN = { initiator: 'admin', reason: 'test' } as const;
const HELLO = '{ hello }';

const encryptionKey = randomBytes(32);
const cleanup = new Cleanup();
afterEach(() => cleanup.run());

async function start(more: Partial<AuthorityOptions> = {}): Promise<TestAuthority> {
  const test = await startTestAuthority({
    encryptionKey,
    signingKeys: { publishAheadSeconds: 0 },
    longPollMs: 1_000,
    ...more,
  });
  cleanup.add(() => test.close());
  return test;
}

/** Another instance for the same issuer on the same store. */
async function another({ database, issuer }: TestAuthority): Promise<Authority> {
  const second = await startAuthority({
    port: 0,
    issuer,
    databaseUrl: database.url,
    encryptionKey,
    audience: AUDIENCE,
    ...withPolicy(checkPolicy(POLICY_FILE)),
    ...withDemo({}),
    streamSecret: STREAM_SECRET,
    signingKeys: { publishAheadSeconds: 0 },
  });
  cleanup.add(() => second.close());
  return second;
}

async function gatewayFor({ issuer }: TestAuthority) {
  const people = await TestSubgraph.start('people');
  cleanup.add(() => people.close());
  const gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer, audience: AUDIENCE }],
    authorization: { anonymous: 'refuse' },
    revocation: { streams: [{ issuer, secret: STREAM_SECRET }], maxStalenessMs: 15_000 },
  });
  await until(
    () => gateway.running.gateway.health().revocation === 'fresh',
    'the gateway knows what is revoked',
  );
  return gateway;
}

async function rotate({ database }: TestAuthority): Promise<Rotation> {
  const rotation = await database.db
    .transaction()
    .execute((trx) => rotateSigningKeys(trx, { ...BY_ADMIN, publishAheadSeconds: 0 }));
  if (rotation === undefined) throw new Error('no key was rotated');
  return rotation;
}

async function published(url: string): Promise<JWK[]> {
  return ((await (await fetch(`${url}/jwks`)).json()) as { keys: JWK[] }).keys;
}

async function kids(url: string): Promise<(string | undefined)[]> {
  return (await published(url)).map(({ kid }) => kid);
}

async function tokensFor(
  test: TestAuthority,
  who = ALMA,
): Promise<{ client: oidc.Configuration; access: string; refresh: string }> {
  const client = await discover(test);
  const request = await authorizationRequest(client, 'accounts:read');
  const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...who });
  const tokens = await exchange(client, callbackUrl, request);
  return { client, access: tokens.access_token, refresh: tokens.refresh_token ?? '' };
}

function kidOf(token: string): string | undefined {
  return decodeProtectedHeader(token).kid;
}

/** Directly at one instance. */
async function refreshAt(url: string, refreshToken: string): Promise<{ access: string; refresh: string }> {
  const response = await fetch(`${url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: 'budget-app',
    }),
  });
  expect(response.status).toBe(200);
  const body = (await response.json()) as { access_token: string; refresh_token: string };
  return { access: body.access_token, refresh: body.refresh_token };
}

async function keyEvents({
  database,
}: TestAuthority): Promise<{ kind: string; keyId: string | undefined }[]> {
  const rows = await database.db
    .selectFrom('authority.change_event')
    .select(['kind', 'members'])
    .where('kind', 'like', '%signing-key%')
    .orderBy('seq')
    .execute();
  return rows.map(({ kind, members }) => ({ kind: kind.split('/').at(-1) ?? '', keyId: members.keyId }));
}

describe('a rotation', () => {
  it('publishes a key before and after it signs', async () => {
    const test = await start();
    const [first, second] = await kids(test.issuer);
    const { access } = await tokensFor(test);
    expect(kidOf(access)).toBe(first);

    const { kid, at } = await rotate(test);
    expect(kid).toBe(second);
    // Until then only the next key is already published.
    expect((await kids(test.issuer)).slice(0, 2)).toEqual([first, second]);
    await until(() => Date.now() > at.getTime() + 50, 'the switch');
    const after = await kids(test.issuer);
    expect(after).toHaveLength(3);
    expect(after[0]).toBe(second);
    expect(after).toContain(first);
    await jwtVerify(access, createLocalJWKSet({ keys: await published(test.issuer) }));
  });

  it('is shared by all who request it meanwhile', async () => {
    const test = await start();
    const rotations = [await rotate(test), await rotate(test)];
    expect(rotations[1]?.kid).toBe(rotations[0]?.kid);
    expect(rotations[1]?.change).toBeUndefined();
    expect(await keyEvents(test)).toEqual([{ kind: 'signing-key-rotated', keyId: rotations[0]?.kid }]);
  });

  it('waits until caches of the key set have the next key', async () => {
    const test = await start();
    const rotation = await test.database.db.transaction().execute((trx) => rotateSigningKeys(trx, BY_ADMIN));
    expect((rotation?.at.getTime() ?? 0) - Date.now()).toBeGreaterThan((PUBLISH_AHEAD_SECONDS - 60) * 1000);
  });

  it('publishes each key for longer than anything that it signed lives', () => {
    expect(ACCESS_TOKEN_SECONDS).toBeLessThanOrEqual(MAX_SIGNED_LIFE_SECONDS);
    expect(LIST_LIFE_SECONDS).toBeLessThanOrEqual(MAX_SIGNED_LIFE_SECONDS);
  });

  it('survives a restart, with no readable private key in the store', async () => {
    const test = await start();
    const before = await kids(test.issuer);
    await test.restart();
    expect(await kids(test.issuer)).toEqual(before);
    const rows = await test.database.db.selectFrom('authority.signing_key').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain('"d"');
    expect(rows.every(({ ciphertext }) => ciphertext?.includes('"kty"') === false)).toBe(true);
    await expect(test.restart({ encryptionKey: randomBytes(32) })).rejects.toMatchObject({
      code: 'KEYS_UNREADABLE',
    });
  });

  it('fails no query, refresh or sign-in under load', async () => {
    const test = await start();
    const gateway = await gatewayFor(test);
    const seen = new Set<string | undefined>();
    let done = false;
    let requests = 0;
    const query = async (access: string): Promise<void> => {
      seen.add(kidOf(access));
      const answer = await gateway.ask(HELLO, { token: access });
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body.data).toEqual({ hello: 'hello world' });
      requests += 1;
    };
    const refreshing = async (who: typeof ALMA): Promise<void> => {
      const { client, ...first } = await tokensFor(test, who);
      let { access, refresh } = first;
      while (!done) {
        await Promise.all([query(access), query(access), query(access)]);
        const tokens = await oidc.refreshTokenGrant(client, refresh);
        access = tokens.access_token;
        refresh = tokens.refresh_token ?? '';
      }
    };
    const signingIn = async (who: typeof ALMA): Promise<void> => {
      while (!done) await query((await tokensFor(test, who)).access);
    };
    // A code issued before a rotation and redeemed after it.
    const client = await discover(test);
    const request = await authorizationRequest(client, 'accounts:read');
    const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...ALMA });
    const load = Promise.all([refreshing(ALMA), refreshing(NOOR), signingIn(IRIS)]);
    load.catch(() => (done = true));
    const switched: string[] = [];
    for (let count = 0; count < 3; count++) {
      const { kid, at } = await rotate(test);
      switched.push(kid);
      await until(
        () => done || (Date.now() > at.getTime() && seen.has(kid)),
        'tokens of the new key',
        15_000,
      );
    }
    await query((await exchange(client, callbackUrl, request)).access_token);
    done = true;
    await load;
    expect(new Set(switched).size).toBe(3);
    expect(requests).toBeGreaterThan(20);
    expect(gateway.log.codes()).not.toContain('AUTHENTICATION_FAILED');
    expect(test.logged.filter((line) => line.includes('FAILED'))).toEqual([]);
  });
});

describe('two instances on one store', () => {
  it('have the same keys, and switch together without a restart', async () => {
    const test = await start();
    const second = await another(test);
    expect(await kids(second.url)).toEqual(await kids(test.issuer));
    const chains = [
      { url: test.issuer, ...(await tokensFor(test)) },
      { url: second.url, ...(await tokensFor(test)) },
    ];
    const old = kidOf(chains[0]?.access ?? '');
    const { at, kid } = await rotate(test);
    const signed: { url: string; beforeMs: number; afterMs: number; kid: string | undefined }[] = [];
    while (Date.now() < at.getTime() + 500) {
      for (const chain of chains) {
        const beforeMs = Date.now();
        Object.assign(chain, await refreshAt(chain.url, chain.refresh));
        signed.push({ url: chain.url, beforeMs, afterMs: Date.now(), kid: kidOf(chain.access) });
      }
    }
    for (const { url } of chains) {
      const mine = signed.filter((each) => each.url === url);
      // Requests wholly on one side of the moment are signed accordingly; 100 ms allow for reading the clock.
      expect(
        mine.filter(({ afterMs }) => afterMs < at.getTime() - 100).every((each) => each.kid === old),
      ).toBe(true);
      expect(
        mine.filter(({ beforeMs }) => beforeMs > at.getTime() + 100).every((each) => each.kid === kid),
      ).toBe(true);
      expect(mine.at(-1)?.kid).toBe(kid);
    }
    expect(await kids(second.url)).toEqual(await kids(test.issuer));
  });

  it('rotate once by schedule, not once each', async () => {
    const test = await start({ signingKeys: { publishAheadSeconds: 0, rotateEverySeconds: 1 } });
    await another(test);
    await expect
      .poll(async () => (await keyEvents(test)).length, { timeout: 25_000 })
      .toBeGreaterThanOrEqual(2);
    const events = await keyEvents(test);
    expect(new Set(events.map(({ keyId }) => keyId)).size).toBe(events.length);
  });
});

describe('a leaked key', () => {
  it('and all that it signed are refused everywhere at once; clients refresh', async () => {
    const test = await start();
    const second = await another(test);
    const gateway = await gatewayFor(test);
    const { access, client, refresh } = await tokensFor(test);
    expect((await gateway.ask(HELLO, { token: access })).status).toBe(200);
    const kid = kidOf(access) ?? '';
    const leaked = await privateKeyOf(test, kid);

    const revoke = () =>
      test.database.db.transaction().execute((trx) => revokeSigningKey(trx, kid, BY_ADMIN));
    expect(await revoke()).toMatchObject({ revoked: true });
    expect(await revoke()).toEqual({ revoked: false, change: undefined });
    for (const url of [test.issuer, second.url]) expect(await kids(url)).not.toContain(kid);

    // The gateway remembers the verification of this token.
    await until(
      async () => (await gateway.ask(HELLO, { token: access })).status === 401,
      'the token is refused',
    );
    const refreshed = await oidc.refreshTokenGrant(client, refresh);
    expect(kidOf(refreshed.access_token)).not.toBe(kid);
    expect((await gateway.ask(HELLO, { token: refreshed.access_token })).status).toBe(200);

    for (const header of [{ kid }, {}]) {
      const forged = await forge(test, leaked, header);
      expect((await gateway.ask(HELLO, { token: forged })).status).toBe(401);
    }
    expect((await gateway.ask(HELLO, { token: refreshed.access_token })).status).toBe(200);
    expect(gateway.log.of('SIGNING_KEY_REVOKED')).toEqual([{ issuer: test.issuer, key: kid }]);
    const row = await test.database.db
      .selectFrom('authority.signing_key')
      .selectAll()
      .where('kid', '=', kid)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ nonce: null, ciphertext: null });
  });

  it('is announced by an event that another key signed', async () => {
    const test = await start();
    const stream = await fetch(`${test.issuer}/ssf/streams`, {
      method: 'POST',
      headers: { authorization: `Bearer ${STREAM_SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify({ delivery: { method: 'urn:ietf:rfc:8936' } }),
    });
    const { delivery, behalf_stream_secret: secret } = (await stream.json()) as {
      delivery: { endpoint_url: string };
      behalf_stream_secret: string;
    };
    const [kid = ''] = await kids(test.issuer);
    await test.database.db.transaction().execute((trx) => revokeSigningKey(trx, kid, BY_ADMIN));
    const poll = await fetch(delivery.endpoint_url, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ returnImmediately: true }),
    });
    const { sets } = (await poll.json()) as { sets: Record<string, string> };
    const [set = ''] = Object.values(sets);
    expect(kidOf(set)).not.toBe(kid);
    const { payload } = await jwtVerify(set, createLocalJWKSet({ keys: await published(test.issuer) }));
    expect(payload).toMatchObject({
      sub_id: { format: 'complex', key: { format: 'opaque', id: kid } },
      events: { 'https://schemas.behalf.dev/secevent/event-type/signing-key-revoked': {} },
    });
  });

  it('can be withdrawn with its successor; new keys then sign', async () => {
    const test = await start();
    const gateway = await gatewayFor(test);
    const { client, refresh } = await tokensFor(test);
    const before = await kids(test.issuer);
    for (const kid of [...before].reverse()) {
      await test.database.db.transaction().execute((trx) => revokeSigningKey(trx, kid ?? '', BY_ADMIN));
    }
    const after = await kids(test.issuer);
    expect(after).toHaveLength(2);
    expect(after.some((kid) => before.includes(kid))).toBe(false);
    const refreshed = await oidc.refreshTokenGrant(client, refresh);
    await until(
      async () => (await gateway.ask(HELLO, { token: refreshed.access_token })).status === 200,
      'a token of the new key is accepted',
    );
  });

  it('before it signed leaves the current key signing', async () => {
    const test = await start();
    const [current] = await kids(test.issuer);
    const { kid, at } = await rotate(test);
    await test.database.db.transaction().execute((trx) => revokeSigningKey(trx, kid, BY_ADMIN));
    await until(() => Date.now() > at.getTime() + 50, 'the moment of the switch');
    expect((await kids(test.issuer))[0]).toBe(current);
  });

  it('can be withdrawn by command, as keys can be rotated', async () => {
    const test = await start();
    const [current = '', next = ''] = await kids(test.issuer);
    const lines: string[] = [];
    const run = (revoke: string[]) =>
      rotateKeys({ databaseUrl: test.database.url, revoke, reason: 'test' }, (line) => lines.push(line));
    await run([current, next]);
    expect(lines.slice(0, 2)).toEqual([
      `${next}: revoked, with everything it signed`,
      `${current}: revoked, with everything it signed`,
    ]);
    const [newCurrent = '', newNext = ''] = await kids(test.issuer);
    lines.length = 0;
    await run([]);
    expect(lines[0]).toMatch(new RegExp(`^${newNext}: signs from `));
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${newCurrent}  current until `)));
    expect(lines).toContain(`${current}  revoked`);
    await expect(run([newCurrent, 'unknown'])).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
    expect((await kids(test.issuer))[0]).toBe(newCurrent);
  });

  it('that does not exist is reported', async () => {
    const test = await start();
    const revoked = test.database.db
      .transaction()
      .execute((trx) => revokeSigningKey(trx, 'unknown', BY_ADMIN));
    await expect(revoked).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
  });
});

/** What an attacker obtained. */
async function privateKeyOf({ database }: TestAuthority, kid: string): Promise<JWK> {
  const row = await database.db
    .selectFrom('authority.signing_key')
    .select(['nonce', 'ciphertext'])
    .where('kid', '=', kid)
    .executeTakeFirstOrThrow();
  const { nonce, ciphertext } = row;
  if (nonce === null || ciphertext === null) throw new Error('there is no private key');
  return JSON.parse(
    new SealedSecrets(database.db, encryptionKey).open(sealedName(kid), { nonce, ciphertext }),
  ) as JWK;
}

async function forge({ issuer }: TestAuthority, key: JWK, header: { kid?: string }): Promise<string> {
  return new SignJWT({ client_id: 'budget-app', scope: 'accounts:read', jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header })
    .setIssuer(issuer)
    .setAudience(AUDIENCE)
    .setSubject('c-000001')
    .setIssuedAt()
    .setExpirationTime('5 min')
    .sign(await importJWK(key, 'ES256'));
}
