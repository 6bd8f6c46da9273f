import { changes } from './oauth-setup.js';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { removeEndedSessions } from '../../authority/oidc/adapter.js';
import { BrowserlessPerson, signInAndConsent } from '../support/person.js';
import { authorizationRequest, discover, exchange, startTestAuthority, type TestAuthority } from './setup.js';
import { nextSecond, until } from '../support/wait.js';
import { consentTerms, grantBriefly } from '../support/consent-terms.js';

const ALMA = { user: 'alma', password: 'alma-demo' };
const NOOR = { user: 'noor', password: 'noor-demo' };
const BY_ADMIN = { by: 'admin-iris', initiator: 'admin' } as const;

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority();
});
afterAll(() => authority.close());

async function connect(who: { user: string; password: string }, clientId = 'budget-app') {
  const client = await discover(authority, clientId);
  const request = await authorizationRequest(client, 'accounts:read');
  const person = new BrowserlessPerson();
  const { callbackUrl } = await person.follow(request.url, who);
  const tokens = await exchange(client, callbackUrl, request);
  const { consent } = decodeJwt<{ consent: { id: string } }>(tokens.access_token);
  return { client, person, consentId: consent.id, refreshToken: tokens.refresh_token ?? '' };
}

describe('revokeConsent', () => {
  it('ends refreshing and pending codes, and asks the person again', async () => {
    const { client, consentId, person, refreshToken } = await connect(ALMA);
    const rotated = (await oidc.refreshTokenGrant(client, refreshToken)).refresh_token ?? '';
    const underWay = await authorizationRequest(client, 'accounts:read');
    const { callbackUrl } = await person.follow(underWay.url, ALMA);

    const options = { by: 'c-000001', initiator: 'user', reason: 'done with it' } as const;
    const revocation = await authority.consents.revokeConsent(consentId, options);
    expect(revocation.ended).toMatchObject([
      { id: consentId, status: 'revoked', endedBy: 'c-000001', endedReason: 'done with it' },
    ]);
    expect((await changes(authority)).at(-1)).toMatchObject({
      ...revocation.change,
      initiator: 'user',
      members: { consentId, subject: 'c-000001', clientId: 'budget-app' },
    });

    await expect(oidc.refreshTokenGrant(client, rotated)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(exchange(client, callbackUrl, underWay)).rejects.toMatchObject({ error: 'invalid_grant' });
    const again = await authorizationRequest(client, 'accounts:read');
    const { pages } = await person.follow(again.url, ALMA);
    expect(pages.map(({ markup }) => markup.includes('asks for access to your data'))).toEqual([true]);
    expect((await authority.consents.findActive('c-000001', 'budget-app'))?.id).not.toBe(consentId);
  });

  it('ends nothing for a repeated, unknown or foreign consent, and says so', async () => {
    const { consentId } = await connect(NOOR);
    const before = (await changes(authority)).length;
    const unknown = { outcome: 'unknown', ended: [], change: undefined };
    const byAlma = { by: 'c-000001', initiator: 'user' } as const;
    expect(await authority.consents.revokeConsent(consentId, byAlma)).toEqual(unknown);
    expect(await authority.consents.revokeConsent("no'such", BY_ADMIN)).toEqual(unknown);
    expect((await changes(authority)).length).toBe(before);
    expect((await authority.consents.revokeConsent(consentId, BY_ADMIN)).ended).toHaveLength(1);
    const already = { ...unknown, outcome: 'already' };
    expect(await authority.consents.revokeConsent(consentId, BY_ADMIN)).toEqual(already);
    expect((await changes(authority)).length).toBe(before + 1);
  });

  it('numbers fifty concurrent revocations once each, in commit order, without gaps', async () => {
    const subjects = Array.from({ length: 50 }, (_, index) => `crowd-${index}`);
    const consents = await Promise.all(
      subjects.map((subject) => authority.consents.grant(consentTerms(subject))),
    );
    const before = (await changes(authority)).at(-1)?.seq ?? 0;
    const done = await Promise.all(consents.map(({ id }) => authority.consents.revokeConsent(id, BY_ADMIN)));
    const seqs = done.map(({ change }) => change?.seq ?? 0).sort((a, b) => a - b);
    expect(seqs).toEqual(subjects.map((_, index) => before + 1 + index));
    const times = (await changes(authority)).map(({ occurred_at }) => occurred_at.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('changes nothing if its transaction fails', async () => {
    const consent = await authority.consents.grant(consentTerms('unlucky'));
    const before = (await changes(authority)).length;
    const failing = authority.database.db.transaction().execute(async (trx) => {
      const { revokeConsent } = await import('../../authority/consent/revoke.js');
      await revokeConsent(trx, consent.id, BY_ADMIN);
      throw new Error('crash before commit');
    });
    await expect(failing).rejects.toThrow('crash before commit');
    expect(await authority.consents.find(consent.id)).toMatchObject({ status: 'active' });
    expect((await changes(authority)).length).toBe(before);
    const next = await authority.consents.revokeConsent(consent.id, BY_ADMIN);
    expect(next.change?.seq).toBe(before + 1);
  });
});

describe('revokeClient', () => {
  it('ends all consents and refresh tokens of one client only', async () => {
    const alma = await connect(ALMA);
    const noor = await connect(NOOR);
    const other = await connect(NOOR, 'bank-console');
    const { change, ended } = await authority.consents.revokeClient('budget-app', BY_ADMIN);
    const ids = ended.map(({ id }) => id);
    expect(ids).toContain(alma.consentId);
    expect(ids).toContain(noor.consentId);
    expect(ids).not.toContain(other.consentId);
    expect((await changes(authority)).at(-1)).toMatchObject({
      ...change,
      members: { clientId: 'budget-app' },
    });
    for (const { client, refreshToken } of [alma, noor]) {
      await expect(oidc.refreshTokenGrant(client, refreshToken)).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    }
    await expect(oidc.refreshTokenGrant(other.client, other.refreshToken)).resolves.toHaveProperty(
      'access_token',
    );
    expect((await authority.consents.revokeClient('budget-app', BY_ADMIN)).ended).toEqual([]);
  });
});

describe('revokeSubjectSessions', () => {
  it('ends sign-ins and tokens with all clients; the consent stands', async () => {
    const { client, consentId, person, refreshToken } = await connect(ALMA);
    const { change, ended, sessions, tokens } = await authority.consents.revokeSubjectSessions(
      'c-000001',
      BY_ADMIN,
    );
    expect({ ended, sessions: sessions > 0, tokens: tokens > 0 }).toEqual({
      ended: [],
      sessions: true,
      tokens: true,
    });
    expect((await changes(authority)).at(-1)).toMatchObject({ ...change, members: { subject: 'c-000001' } });
    await expect(oidc.refreshTokenGrant(client, refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(await authority.consents.find(consentId)).toMatchObject({ status: 'active' });

    await nextSecond();
    const again = await authorizationRequest(client, 'accounts:read');
    const outcome = await person.follow(again.url, ALMA);
    expect(outcome.pages.map(({ markup }) => markup.includes('name="password"'))).toEqual([true]);
    const { access_token } = await exchange(client, outcome.callbackUrl, again);
    expect(decodeJwt<{ consent: { id: string } }>(access_token).consent.id).toBe(consentId);
  });

  it('wins over a refresh token or session written back concurrently', async () => {
    const { client, person, refreshToken } = await connect(NOOR);
    const saved = await authority.database.db
      .selectFrom('authority.oidc_payload')
      .selectAll()
      .where('account_id', '=', 'c-000002')
      .execute();
    await authority.consents.revokeSubjectSessions('c-000002', BY_ADMIN);
    const back = saved
      .filter(({ model }) => model === 'RefreshToken' || model === 'Session')
      .map((row) => ({ ...row, payload: JSON.stringify(row.payload) }));
    expect(back.length).toBeGreaterThan(1);
    await authority.database.db.insertInto('authority.oidc_payload').values(back).execute();
    await expect(oidc.refreshTokenGrant(client, refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    const again = await authorizationRequest(client, 'accounts:read');
    const outcome = await person.follow(again.url, NOOR);
    expect(outcome.pages[0]?.markup).toContain('name="password"');
  });
});

describe('revokeSession', () => {
  it('ends codes, refresh and access tokens of one browser only', async () => {
    await nextSecond();
    const here = await connect(ALMA);
    const there = await connect(ALMA);
    const { access_token: token } = await oidc.refreshTokenGrant(here.client, here.refreshToken);
    const { sid } = decodeJwt<{ sid: string }>(token);
    const rows = await authority.database.db
      .selectFrom('authority.oidc_payload')
      .selectAll()
      .where('model', 'in', ['Session', 'RefreshToken'])
      .where('account_id', '=', 'c-000001')
      .execute();
    const own = rows.filter(({ payload, uid }) => uid === sid || JSON.stringify(payload).includes(sid));

    const ended = await authority.consents.revokeSession(sid, BY_ADMIN);
    expect(ended).toMatchObject({ outcome: 'done', ended: [], sessions: 1 });
    expect(ended.tokens).toBeGreaterThan(0);
    expect((await changes(authority)).at(-1)).toMatchObject({ ...ended.change, members: { sessionId: sid } });
    // A running request writes its session and refresh token back.
    const back = own.map((row) => ({ ...row, payload: JSON.stringify(row.payload) }));
    expect(back.length).toBeGreaterThan(1);
    await authority.database.db.insertInto('authority.oidc_payload').values(back).execute();
    const latest = (await authority.consents.findActive('c-000001', 'budget-app'))?.id;
    expect(latest).toBe(there.consentId);
    const again = await authorizationRequest(here.client, 'accounts:read');
    const outcome = await here.person.follow(again.url, ALMA);
    expect(outcome.pages[0]?.markup).toContain('name="password"');

    await expect(oidc.refreshTokenGrant(there.client, there.refreshToken)).resolves.toHaveProperty(
      'access_token',
    );
    const repeated = await authority.consents.revokeSession(sid, BY_ADMIN);
    expect(repeated).toMatchObject({ outcome: 'already', change: undefined });
    expect(await authority.consents.revokeSession('never-was', BY_ADMIN)).toMatchObject({
      outcome: 'unknown',
      sessions: 0,
      tokens: 0,
    });
  });

  it('wins over a refresh token that is written back', async () => {
    await nextSecond();
    const { client, refreshToken } = await connect(NOOR);
    const stored = await authority.database.db
      .selectFrom('authority.oidc_payload')
      .selectAll()
      .where('model', '=', 'RefreshToken')
      .where('account_id', '=', 'c-000002')
      .execute();
    const sids = new Set(stored.map(({ payload }) => (payload as { sessionUid: string }).sessionUid));
    for (const sid of sids) await authority.consents.revokeSession(sid, BY_ADMIN);
    const back = stored.map((row) => ({ ...row, payload: JSON.stringify(row.payload) }));
    await authority.database.db.insertInto('authority.oidc_payload').values(back).execute();
    await expect(oidc.refreshTokenGrant(client, refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });
});

describe('an ended session', () => {
  it('is forgotten after a day unless anything of it could come back', async () => {
    await nextSecond();
    const { db } = authority.database;
    await connect(ALMA);
    const session = await db
      .selectFrom('authority.oidc_payload')
      .select('uid')
      .where('model', '=', 'Session')
      .where('account_id', '=', 'c-000001')
      .executeTakeFirstOrThrow();
    const left = session.uid ?? '';
    const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000);
    const rows = [
      { session_id: 'gone-long-ago', ended_at: longAgo },
      { session_id: 'gone-just-now', ended_at: new Date() },
      { session_id: left, ended_at: longAgo },
    ];
    await db.insertInto('authority.ended_session').values(rows).execute();
    await removeEndedSessions(db);
    const kept = await db.selectFrom('authority.ended_session').select('session_id').execute();
    const ids = kept.map(({ session_id }) => session_id);
    expect(ids).not.toContain('gone-long-ago');
    expect(ids).toEqual(expect.arrayContaining(['gone-just-now', left]));
  });
});

describe('revokeToken', () => {
  it('announces a token once, by whomever and however often requested', async () => {
    const before = (await changes(authority)).length;
    const options = { ...BY_ADMIN, reason: 'found in a log' };
    const answers = await Promise.all([1, 2, 3].map(() => authority.consents.revokeToken('jti-1', options)));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['already', 'already', 'done']);
    const added = (await changes(authority)).slice(before);
    expect(added).toMatchObject([
      { members: { tokenId: 'jti-1' }, reason: 'found in a log', entity_id: 'admin-iris' },
    ]);
    expect(answers.find(({ change }) => change !== undefined)?.change?.seq).toBe(added[0]?.seq);
  });
});

describe('a race between issuing and revoking', () => {
  it('leaves no token that is younger than its client’s revocation', async () => {
    await nextSecond();
    const started = await Promise.all([ALMA, NOOR, ALMA, NOOR].map((who) => connect(who)));
    const issued: number[] = [];
    const refreshing = started.map(async ({ client, refreshToken }) => {
      let token = refreshToken;
      for (let count = 0; count < 1_000; count++) {
        const next = await oidc.refreshTokenGrant(client, token).catch(() => undefined);
        if (next === undefined) return;
        token = next.refresh_token ?? '';
        issued.push(decodeJwt(next.access_token).iat ?? Infinity);
      }
    });
    await until(() => issued.length > 0, 'a token was issued');
    const { change } = await authority.consents.revokeClient('budget-app', BY_ADMIN);
    await Promise.all(refreshing);
    const event = (await changes(authority)).find(({ seq }) => seq === change?.seq);
    const revokedAtSeconds = Math.floor((event?.occurred_at.getTime() ?? 0) / 1000);
    expect(issued.length).toBeGreaterThan(0);
    expect(issued.length).toBeLessThan(4_000);
    expect(issued.filter((iat) => iat > revokedAtSeconds)).toEqual([]);
  });

  it('overlapping revocations all succeed', async () => {
    await connect(ALMA);
    await connect(NOOR);
    const revocations = Array.from({ length: 12 }, (_, index) =>
      index % 2 === 0
        ? authority.consents.revokeClient('budget-app', BY_ADMIN)
        : authority.consents.revokeSubjectSessions(index % 4 === 1 ? 'c-000001' : 'c-000002', BY_ADMIN),
    );
    const ended = (await Promise.all(revocations)).flatMap((revocation) => revocation.ended);
    expect(new Set(ended.map(({ id }) => id)).size).toBe(ended.length);
    await nextSecond();
  });
});

describe('refresh tokens', () => {
  it('give the same answer to two concurrent uses', async () => {
    await nextSecond();
    const { client, refreshToken } = await connect(NOOR);
    const answers = await Promise.allSettled([1, 2].map(() => oidc.refreshTokenGrant(client, refreshToken)));
    expect(answers.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });

  it('work once; a second use ends the whole chain', async () => {
    await nextSecond();
    const { client, refreshToken } = await connect(NOOR, 'bank-console');
    const next = (await oidc.refreshTokenGrant(client, refreshToken)).refresh_token ?? '';
    expect(next).not.toBe(refreshToken);
    await expect(oidc.refreshTokenGrant(client, refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await expect(oidc.refreshTokenGrant(client, next)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('are not stored in a form that could be presented', async () => {
    const { refreshToken } = await connect(ALMA);
    const rows = await authority.database.db.selectFrom('authority.oidc_payload').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(refreshToken);
  });
});

describe('the register', () => {
  it('is append-only where it says so', async () => {
    const { db } = authority.database;
    await expect(
      db
        .updateTable('authority.consent_event')
        .set({ reason: 'x' } as never)
        .execute(),
    ).rejects.toThrow('append-only');
    await expect(db.deleteFrom('authority.change_event').execute()).rejects.toThrow('append-only');
  });

  it('lists page by page, newest first, by filter', async () => {
    for (let index = 0; index < 5; index++)
      await authority.consents.grant(consentTerms(`page-${index}`, { clientId: 'paged' }));
    await authority.consents.revokeClient('paged', BY_ADMIN);
    await authority.consents.grant(consentTerms('page-5', { clientId: 'paged' }));
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await authority.consents.list({ clientId: 'paged' }, { first: 2, after });
      seen.push(...page.items.map(({ subject }) => subject));
      after = page.cursor;
    } while (after !== undefined);
    expect([...seen].sort()).toEqual(['page-0', 'page-1', 'page-2', 'page-3', 'page-4', 'page-5']);
    expect(seen[0]).toBe('page-5');
    expect((await authority.consents.list({ clientId: 'paged', status: 'active' })).items).toHaveLength(1);
    expect((await authority.consents.list({ clientId: 'paged', status: 'revoked' })).items).toHaveLength(5);
    expect(await authority.consents.listForSubject('page-5')).toHaveLength(1);
    await expect(authority.consents.list({}, { first: 101 })).rejects.toThrow(RangeError);
    await expect(authority.consents.list({}, { after: 'nonsense' })).rejects.toThrow(RangeError);
  });

  it('knows an expired consent before and after its end is recorded', async () => {
    const { consents } = authority;
    await authority.authority.close();
    const { id } = await grantBriefly(consents, 'late', 200);
    await expect.poll(async () => (await consents.find(id))?.status).toBe('expired');
    expect(await consents.findActive('late', 'budget-app')).toBeUndefined();
    expect((await consents.revokeConsent(id, BY_ADMIN)).ended).toEqual([]);
    await expect.poll(() => consents.recordExpired(10)).toBe(1);
    expect(await consents.find(id)).toMatchObject({ status: 'expired' });
    expect((await consents.revokeConsent(id, BY_ADMIN)).ended).toEqual([]);
    await expect(consents.grant(consentTerms('late', { until: new Date() }))).rejects.toThrow(RangeError);
    expect(await consents.grant(consentTerms('late'))).toMatchObject({ version: 2, status: 'active' });
    await authority.restart();
  });
});

describe('after a restart', () => {
  it('keys, consents, sign-ins and refresh tokens are unchanged', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'profile:read');
    const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...ALMA });
    const { refresh_token: refreshToken = '' } = await exchange(client, callbackUrl, request);
    const jwks = async () => (await fetch(`${authority.issuer}/jwks`)).json();
    const before = await jwks();
    await authority.restart();
    expect(await jwks()).toEqual(before);
    expect(JSON.stringify(before)).not.toContain('"d"');
    await expect(oidc.refreshTokenGrant(client, refreshToken)).resolves.toHaveProperty('access_token');
  });
});
