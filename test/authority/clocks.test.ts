import { sql } from 'kysely';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { ConsentRegister } from '../../authority/internal.js';
import { removeExpiredPayloads } from '../../authority/oidc/adapter.js';
import type { AuthorityDatabase } from '../../authority/schema.js';
import { openDatabase } from '../../store/index.js';
import {
  Cleanup,
  compose,
  startTestGateway,
  type TestGateway,
  TestSubgraph,
  until,
} from '../gateway/support.js';
import { BrowserlessPerson } from '../support/person.js';
import { type DatabaseClock, injectDatabaseClock } from '../support/database-clock.js';
import { type ExchangingAuthority, startExchangingAuthority } from './exchange-setup.js';
import { ALMA, ALMA_SUBJECT, claimsOf, nextSecond } from './oauth-setup.js';
import { AUDIENCE, authorizationRequest, exchange, STREAM_SECRET } from './setup.js';

const BY_ADMIN = { by: 'admin-iris', initiator: 'admin' } as const;

const cleanup = new Cleanup();
let authority: ExchangingAuthority;
let clock: DatabaseClock;
let gateway: TestGateway;
/** Connections that see the injected clock. */
let db: AuthorityDatabase;
let consents: ConsentRegister;
beforeAll(async () => {
  authority = await startExchangingAuthority(async (database) => {
    clock = await injectDatabaseClock(database.db);
    // The signing keys date from then, and sign from then on.
    await clock.set(-30);
  });
  db = openDatabase(authority.database.url);
  consents = new ConsentRegister(db);
  const people = await TestSubgraph.start('people');
  cleanup.add(() => people.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: authority.issuer, audience: AUDIENCE }],
    revocation: { streams: [{ issuer: authority.issuer, secret: STREAM_SECRET }] },
  });
  await until(() => gateway.running.gateway.health().revocation === 'fresh', 'the view is fresh');
});
afterEach(async () => {
  await clock.set(0);
});
afterAll(async () => {
  await cleanup.run();
  await db.destroy();
  await authority.close();
});

async function statusAt(token: string): Promise<number> {
  return (await gateway.ask('{ mine }', { token })).status;
}

async function expectEnded(token: string): Promise<void> {
  await until(async () => (await statusAt(token)) === 401, 'the token is refused');
  expect(await authority.isActive(token)).toBe(false);
  await expect(authority.exchange('printer', token)).rejects.toMatchObject({ error: 'invalid_request' });
}

const ENDINGS: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['revokeClient', () => consents.revokeClient('budget-app', BY_ADMIN)],
  ['revokeClient of the actor', () => consents.revokeClient('statements', BY_ADMIN)],
  ['revokeSubjectSessions', () => consents.revokeSubjectSessions(ALMA_SUBJECT, BY_ADMIN)],
];

/**
 * The tests of one authority share its people. Revocations must not lie in the future, so the database's clock only advances.
 */
function endsWhatItIssues(aheadSeconds: number): void {
  beforeEach(() => clock.set(aheadSeconds));

  it.each(ENDINGS)('issues nothing that outlives %s', async (_name, end) => {
    const { access_token: plain } = await authority.signIn();
    const exchanged = await authority.exchange('statements', plain);
    for (const token of [plain, exchanged]) expect(await statusAt(token)).toBe(200);
    await end();
    await expectEnded(exchanged);
    await nextSecond();
    const { access_token: later } = await authority.signIn();
    expect(await statusAt(later)).toBe(200);
    expect(await authority.isActive(later)).toBe(true);
  });

  it('RFC 7009: issues nothing that outlives the revocation of its refresh token', async () => {
    const { access_token: token, refresh_token: refreshToken = '' } = await authority.signIn();
    expect(await authority.revokeAt7009('budget-app', refreshToken)).toBe(200);
    await expectEnded(token);
    await nextSecond();
  });

  it('dates tokens by the database’s clock without extending them', async () => {
    const { access_token: token } = await authority.signIn();
    const exchanged = await authority.exchange('statements', token);
    const nowSeconds = Date.now() / 1000;
    for (const { exp = 0, iat = 0 } of [
      claimsOf({ access_token: token }),
      claimsOf({ access_token: exchanged }),
    ]) {
      expect(Math.abs(iat - aheadSeconds - nowSeconds)).toBeLessThan(3);
      expect(exp - iat).toBeLessThanOrEqual(300);
      expect(exp).toBeLessThanOrEqual(nowSeconds + 300);
    }
    expect(claimsOf({ access_token: exchanged }).exp).toBeLessThanOrEqual(
      claimsOf({ access_token: token }).exp ?? 0,
    );
  });
}

it('a consent expired only by this machine’s clock can be revoked', async () => {
  await clock.set(-30);
  const { access_token: token } = await authority.signIn();
  const id = claimsOf({ access_token: token }).consent?.id ?? '';
  const until = new Date(Date.now() - 1_000);
  await db.updateTable('authority.consent').set({ until }).where('id', '=', id).execute();
  expect((await consents.revokeConsent(id, BY_ADMIN)).outcome).toBe('done');
});

describe('an authority whose clock is 30 s ahead of the database’s', () => endsWhatItIssues(-30));

describe('an authority whose clock is 4 s ahead of the database’s', () => endsWhatItIssues(-4));

/** What a request that was running during the revocation writes back afterwards. */
async function keepRows(models: readonly string[]): Promise<() => Promise<void>> {
  const rows = await db
    .selectFrom('authority.oidc_payload')
    .selectAll()
    .where('model', 'in', models)
    .execute();
  return async () => {
    const values = rows.map((row) => ({ ...row, payload: JSON.stringify(row.payload) }));
    await db
      .insertInto('authority.oidc_payload')
      .values(values)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  };
}

describe('a credential restored after its end yields no token, 4 s ahead', () => {
  beforeEach(() => clock.set(-4));

  it('a code', async () => {
    const request = await authorizationRequest(authority.person, 'accounts:read');
    const { callbackUrl } = await new BrowserlessPerson().follow(request.url, ALMA);
    const writeBack = await keepRows(['AuthorizationCode', 'Grant']);
    await consents.revokeSubjectSessions(ALMA_SUBJECT, BY_ADMIN);
    await writeBack();
    await expect(exchange(authority.person, callbackUrl, request)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await nextSecond();
  });

  it.each(['the first', 'a rotated'])('a refresh token: %s', async (which) => {
    let { refresh_token: refreshToken = '' } = await authority.signIn();
    if (which === 'a rotated') {
      refreshToken = (await oidc.refreshTokenGrant(authority.person, refreshToken)).refresh_token ?? '';
    }
    const writeBack = await keepRows(['RefreshToken', 'Grant']);
    await consents.revokeSubjectSessions(ALMA_SUBJECT, BY_ADMIN);
    await writeBack();
    await expect(oidc.refreshTokenGrant(authority.person, refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await nextSecond();
  });

  it('a session', async () => {
    const person = new BrowserlessPerson();
    const open = async () => {
      const request = await authorizationRequest(authority.person, 'accounts:read');
      return person.follow(request.url, ALMA);
    };
    await open();
    expect((await open()).pages).toEqual([]);
    const writeBack = await keepRows(['Session']);
    await consents.revokeSubjectSessions(ALMA_SUBJECT, BY_ADMIN);
    await writeBack();
    expect((await open()).pages).toHaveLength(1);
  });
});

describe('a database whose clock went back, as in a failover', () => {
  it.each(ENDINGS)('ends earlier tokens by %s', async (_, end) => {
    const { access_token: plain } = await authority.signIn();
    const exchanged = await authority.exchange('statements', plain);
    await clock.set(-4);
    await end();
    await expectEnded(exchanged);
    await clock.set(0);
    await nextSecond();
  });
});

describe('an authority whose clock is 4 s behind the database’s', () => endsWhatItIssues(4));

it('RFC 7523: used assertions are remembered even if the database’s clock is ahead', async () => {
  const expires = new Date(Date.now() + 5_000);
  const row = { model: 'ReplayDetection', payload: '{}', expires_at: expires };
  await db
    .insertInto('authority.oidc_payload')
    .values({ ...row, id: 'used' })
    .execute();
  const left = async () =>
    db.selectFrom('authority.oidc_payload').select('id').where('id', '=', 'used').execute();
  await clock.set(30);
  await removeExpiredPayloads(db, 1_000);
  expect(await left()).toHaveLength(1);
  await clock.set(120);
  await removeExpiredPayloads(db, 1_000);
  expect(await left()).toHaveLength(0);
});

it('the injected clock is the one that the authority’s statements read', async () => {
  await clock.set(-4);
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  expect(Date.now() - (rows[0]?.now.getTime() ?? 0)).toBeGreaterThanOrEqual(3_500);
});
