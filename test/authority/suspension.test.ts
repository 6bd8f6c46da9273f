import { changes } from './oauth-setup.js';
import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { StreamRegister } from '../../authority/ssf/streams.js';
import { SuspensionRegister, type SuspensionTarget } from '../../authority/internal.js';
import { BrowserlessPerson } from '../support/person.js';
import { authorizationRequest, discover, exchange, startTestAuthority, type TestAuthority } from './setup.js';

const ALMA = { user: 'alma', password: 'alma-demo' };
const BY_IRIS = { by: 'admin-iris', reason: 'reads far too much' };
const BUDGET_APP: SuspensionTarget = { kind: 'client', clientId: 'budget-app' };
const ACCOUNTS: SuspensionTarget = { kind: 'scope', scope: 'accounts:read' };
const EVERYTHING: SuspensionTarget = { kind: 'everything' };
const SUSPENDED = 'https://schemas.behalf.dev/secevent/event-type/access-suspended';
const RESUMED = 'https://schemas.behalf.dev/secevent/event-type/access-resumed';

let authority: TestAuthority;
let suspensions: SuspensionRegister;
beforeAll(async () => {
  authority = await startTestAuthority();
  suspensions = new SuspensionRegister(authority.database.db);
});
afterAll(() => authority.close());
afterEach(async () => {
  for (const { target } of await suspensions.standing()) await suspensions.resume(target, BY_IRIS);
});

async function connect(scope = 'accounts:read profile:read') {
  const client = await discover(authority);
  const request = await authorizationRequest(client, scope);
  const person = new BrowserlessPerson();
  const { callbackUrl } = await person.follow(request.url, ALMA);
  const tokens = await exchange(client, callbackUrl, request);
  return { client, person, tokens, refreshToken: tokens.refresh_token ?? '' };
}

const scopesOf = (token: string): string[] => decodeJwt<{ scope: string }>(token).scope.split(' ').sort();

describe('a suspended client', () => {
  it('gets no token for a refresh token, which is not consumed', async () => {
    const { client, refreshToken } = await connect();
    await suspensions.suspend(BUDGET_APP, BY_IRIS);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(oidc.refreshTokenGrant(client, refreshToken)).rejects.toMatchObject({
        error: 'unauthorized_client',
      });
    }
    await suspensions.resume(BUDGET_APP, BY_IRIS);
    await expect(oidc.refreshTokenGrant(client, refreshToken)).resolves.toHaveProperty('access_token');
  });

  it('gets no code, and no token for an earlier code', async () => {
    const { client, person } = await connect();
    const underWay = await authorizationRequest(client, 'accounts:read');
    const { callbackUrl } = await person.follow(underWay.url, ALMA);
    await suspensions.suspend(BUDGET_APP, BY_IRIS);
    await expect(exchange(client, callbackUrl, underWay)).rejects.toMatchObject({
      error: 'unauthorized_client',
    });
    for (const who of [person, new BrowserlessPerson()]) {
      const request = await authorizationRequest(client, 'accounts:read');
      const outcome = await who.follow(request.url, ALMA);
      expect(outcome.callbackUrl.searchParams.get('error')).toBe('unauthorized_client');
      expect(outcome.callbackUrl.searchParams.get('code')).toBeNull();
    }
  });

  it('does not affect other clients', async () => {
    await connect();
    await suspensions.suspend({ kind: 'client', clientId: 'bank-console' }, BY_IRIS);
    await expect(connect()).resolves.toHaveProperty('refreshToken');
  });
});

describe('a stopped scope', () => {
  it('is omitted from new tokens, and returns with the same refresh token', async () => {
    const { client, refreshToken, tokens } = await connect();
    expect(scopesOf(tokens.access_token)).toEqual(['accounts:read', 'profile:read']);
    await suspensions.suspend(ACCOUNTS, BY_IRIS);
    const during = await oidc.refreshTokenGrant(client, refreshToken);
    expect(scopesOf(during.access_token)).toEqual(['profile:read']);
    await suspensions.resume(ACCOUNTS, BY_IRIS);
    const after = await oidc.refreshTokenGrant(client, during.refresh_token ?? '');
    expect(scopesOf(after.access_token)).toEqual(['accounts:read', 'profile:read']);
  });

  it('is not offered, and cannot be requested alone', async () => {
    const { client } = await connect();
    await authority.consents.revokeClient('budget-app', { by: 'admin-iris', initiator: 'admin' });
    await suspensions.suspend(ACCOUNTS, BY_IRIS);
    const person = new BrowserlessPerson();
    const both = await authorizationRequest(client, 'accounts:read profile:read', { prompt: 'consent' });
    const { pages, callbackUrl } = await person.follow(both.url, ALMA);
    expect(pages.at(-1)?.markup).toContain('See your name');
    expect(pages.at(-1)?.markup).not.toContain('accounts:read');
    expect(scopesOf((await exchange(client, callbackUrl, both)).access_token)).toEqual(['profile:read']);
    const alone = await authorizationRequest(client, 'accounts:read', { prompt: 'consent' });
    const refused = await person.follow(alone.url, ALMA);
    expect(refused.callbackUrl.searchParams.get('error')).toBe('invalid_scope');
  });

  it('stays agreed to in later decisions', async () => {
    const { client } = await connect();
    await suspensions.suspend(ACCOUNTS, BY_IRIS);
    const more = await authorizationRequest(client, 'transactions:read', { prompt: 'consent' });
    const { pages } = await new BrowserlessPerson().follow(more.url, ALMA);
    expect(pages.at(-1)?.markup).toContain('accounts:read');
    const standing = await authority.consents.findActive('c-000001', 'budget-app');
    expect(standing?.scopes).toEqual(['profile:read', 'accounts:read', 'transactions:read']);
  });
});

describe('a stop of everything', () => {
  it('stops issuing for every client without ending tokens', async () => {
    const { client, refreshToken } = await connect();
    await suspensions.suspend(EVERYTHING, BY_IRIS);
    await expect(oidc.refreshTokenGrant(client, refreshToken)).rejects.toMatchObject({
      error: 'temporarily_unavailable',
    });
    await suspensions.resume(EVERYTHING, BY_IRIS);
    await expect(oidc.refreshTokenGrant(client, refreshToken)).resolves.toHaveProperty('access_token');
  });
});

describe('the register', () => {
  it('records who, why and when; a repeated call changes nothing', async () => {
    const before = (await changes(authority)).length;
    await connect();
    const both = await Promise.all([1, 2].map(() => suspensions.suspend(BUDGET_APP, BY_IRIS)));
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['already', 'done']);
    const later = await suspensions.suspend(BUDGET_APP, { by: 'somebody', reason: 'other' });
    expect(later).toMatchObject({ outcome: 'already', suspension: BY_IRIS, change: undefined });
    expect(await suspensions.standing()).toMatchObject([{ target: BUDGET_APP, ...BY_IRIS }]);
    const lifted = { by: 'admin-otto', reason: 'explained itself' };
    const resumed = await suspensions.resume(BUDGET_APP, lifted);
    expect(resumed).toMatchObject({
      outcome: 'done',
      suspension: { ...BY_IRIS, endedBy: 'admin-otto', endedReason: 'explained itself' },
    });
    expect(await suspensions.resume(BUDGET_APP, lifted)).toMatchObject({ outcome: 'already' });
    expect((await changes(authority)).slice(before)).toMatchObject([
      { kind: SUSPENDED, members: { clientId: 'budget-app' }, reason: BY_IRIS.reason, entity_id: BY_IRIS.by },
      { kind: RESUMED, members: { clientId: 'budget-app' }, reason: lifted.reason, entity_id: lifted.by },
    ]);
    expect(await suspensions.standing()).toEqual([]);
  });

  it('suspends unknown targets too, and says that they are unknown', async () => {
    await connect();
    expect(await suspensions.suspend(ACCOUNTS, BY_IRIS)).toMatchObject({ outcome: 'done' });
    for (const target of [
      { kind: 'client', clientId: 'budgetapp' },
      { kind: 'scope', scope: 'acounts:read' },
    ] as const) {
      expect(await suspensions.resume(target, BY_IRIS)).toMatchObject({ outcome: 'unknown' });
      expect(await suspensions.suspend(target, BY_IRIS)).toMatchObject({ outcome: 'unknown' });
    }
    expect(await suspensions.standing()).toHaveLength(3);
  });

  it('truncates a long reason', async () => {
    await suspensions.suspend(EVERYTHING, { by: 'x', reason: 'y'.repeat(1_000) });
    const [first] = await suspensions.standing();
    expect(first?.reason).toHaveLength(500);
  });
});

describe('a new stream', () => {
  it('begins with suspensions in force, whatever their age', async () => {
    const { db } = authority.database;
    const old = { kind: 'client', clientId: 'old-app' } as const;
    const lifted = { kind: 'client', clientId: 'lifted-app' } as const;
    for (const target of [old, lifted]) await suspensions.suspend(target, BY_IRIS);
    await suspensions.resume(lifted, BY_IRIS);
    // Sixty days pass.
    await sql`alter table authority.change_event disable trigger append_only`.execute(db);
    await sql`update authority.change_event set occurred_at = occurred_at - interval '60 days'`.execute(db);
    await sql`alter table authority.change_event enable trigger append_only`.execute(db);
    await sql`update authority.suspension set announced_at = announced_at - interval '60 days'`.execute(db);

    const streams = new StreamRegister(db);
    const eventsRequested = [SUSPENDED, RESUMED];
    const wishes = { eventsRequested, description: null, maxStalenessMs: null, push: undefined };
    const begun = await Promise.all([1, 2, 3].map(() => streams.create('gateways', wishes)));
    for (const stream of begun) {
      const pending = stream === undefined ? [] : await streams.pending(stream, 100);
      expect(pending.map(({ members }) => members)).toEqual([{ clientId: 'old-app' }]);
    }
  });
});
