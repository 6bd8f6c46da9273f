import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RevocationOptions } from '../../../authority/consent/types.js';
import { BY_ADMIN, LATER, terms, TestStore } from './support.js';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());

const UNKNOWN = { outcome: 'unknown', ended: [], change: undefined };
const ALREADY = { outcome: 'already', ended: [], change: undefined };
const byUser = (by: string): RevocationOptions => ({ by, initiator: 'user' });
const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

describe('revoking a consent', () => {
  it('ends it for ever, with its codes and refresh tokens, and tells the gateways', async () => {
    const consent = await store.register.grant(terms('alma'));
    const other = await store.register.grant(terms('alma', { clientId: 'other' }));
    await store.hold('RefreshToken', 'of it', { grant_id: consent.id });
    await store.hold('RefreshToken', 'of the other', { grant_id: other.id });
    const reason = 'r'.repeat(501);
    const revocation = await store.register.revokeConsent(consent.id, { ...BY_ADMIN, reason });
    const change = await store.lastChange();
    expect(revocation).toEqual({
      outcome: 'done',
      ended: [
        {
          ...consent,
          status: 'revoked',
          endedAt: change?.occurred_at,
          endedBy: 'admin',
          endedReason: 'r'.repeat(500),
        },
      ],
      change: { seq: change?.seq, jti: change?.jti },
    });
    expect(change).toMatchObject({
      kind: SESSION_REVOKED,
      members: { consentId: consent.id, subject: 'alma', clientId: 'app' },
      initiator: 'admin',
      entity_id: 'admin',
      reason: 'r'.repeat(500),
    });
    expect(await store.register.find(consent.id)).toEqual(revocation.ended[0]);
    expect(await store.register.find(other.id)).toEqual(other);
    expect(await store.held()).toEqual(['of the other']);
    expect((await store.events(consent.id)).at(-1)).toMatchObject({
      event_type: 'revoked',
      entity_id: 'admin',
      reason: 'r'.repeat(500),
      event_time: change?.occurred_at,
    });
  });

  it('is for the person too, who may give no reason', async () => {
    const { id } = await store.register.grant(terms('noor'));
    const { outcome, ended } = await store.register.revokeConsent(id, byUser('noor'));
    expect(outcome).toBe('done');
    expect(ended).toMatchObject([{ endedBy: 'noor', endedReason: undefined }]);
    expect((await store.row(id)).ended_reason).toBeNull();
    expect(await store.lastChange()).toMatchObject({ initiator: 'user', entity_id: 'noor', reason: null });
    expect((await store.events(id)).at(-1)?.reason).toBeNull();
  });

  it('of another person’s, by a user, does not even tell whether there is one', async () => {
    const consent = await store.register.grant(terms('victim'));
    const changes = (await store.changes()).length;
    expect(await store.register.revokeConsent(consent.id, byUser('thief'))).toEqual(UNKNOWN);
    expect(await store.register.find(consent.id)).toEqual(consent);
    await store.register.revokeConsent(consent.id, BY_ADMIN);
    expect(await store.register.revokeConsent(consent.id, byUser('thief'))).toEqual(UNKNOWN);
    expect(await store.register.revokeConsent('no such', byUser('thief'))).toEqual(UNKNOWN);
    expect(await store.register.revokeConsent('no such', BY_ADMIN)).toEqual(UNKNOWN);
    expect(await store.changes()).toHaveLength(changes + 1);
  });

  it('that has ended already does nothing', async () => {
    const { id } = await store.register.grant(terms('over'));
    await store.register.revokeConsent(id, BY_ADMIN);
    expect(await store.register.revokeConsent(id, BY_ADMIN)).toEqual(ALREADY);
    expect(await store.register.revokeConsent(id, byUser('over'))).toEqual(ALREADY);
    const lapsed = await store.register.grant(terms('over'));
    await store.change(lapsed.id, { until: new Date(Date.now() - 1_000) });
    const changes = (await store.changes()).length;
    expect(await store.register.revokeConsent(lapsed.id, BY_ADMIN)).toEqual(ALREADY);
    expect(await store.changes()).toHaveLength(changes);
    expect(await store.row(lapsed.id)).toMatchObject({ status: 'active' });
  });
});

describe('revoking a token', () => {
  it('announces it once', async () => {
    const first = await store.register.revokeToken('jti', { ...BY_ADMIN, reason: 'r'.repeat(501) });
    const change = await store.lastChange();
    expect(first).toEqual({ outcome: 'done', change: { seq: change?.seq, jti: change?.jti } });
    expect(change).toMatchObject({
      kind: SESSION_REVOKED,
      members: { tokenId: 'jti' },
      reason: 'r'.repeat(500),
    });
    expect(await store.register.revokeToken('jti', BY_ADMIN)).toEqual({
      outcome: 'already',
      change: undefined,
    });
    expect((await store.lastChange())?.seq).toBe(change?.seq);
    expect(await store.register.revokeToken('another', BY_ADMIN)).toMatchObject({ outcome: 'done' });
  });

  it('is not taken for done because something else had its name', async () => {
    await store.register.revokeSession('namesake', BY_ADMIN);
    await store.register.revokeClient('namesake', BY_ADMIN);
    expect(await store.register.revokeToken('namesake', BY_ADMIN)).toMatchObject({ outcome: 'done' });
  });

  it('at many places at once announces it once', async () => {
    const calls = [1, 2, 3].map(() => store.register.revokeToken('wanted', BY_ADMIN));
    expect((await Promise.all(calls)).map(({ outcome }) => outcome).sort()).toEqual([
      'already',
      'already',
      'done',
    ]);
  });
});

describe('revoking a sign-in', () => {
  const ofSession = { payload: JSON.stringify({ sessionUid: 'sid' }) };

  it('ends it, with the codes and refresh tokens that were issued under it', async () => {
    const before = await store.held();
    await store.hold('Session', 'session', { uid: 'sid' });
    await store.hold('Session', 'other session', { uid: 'other' });
    await store.hold('Interaction', 'interaction', { uid: 'sid' });
    await store.hold('RefreshToken', 'refresh', ofSession);
    await store.hold('AuthorizationCode', 'code', ofSession);
    await store.hold('Grant', 'grant', ofSession);
    await store.hold('RefreshToken', 'other refresh', { payload: JSON.stringify({ sessionUid: 'other' }) });
    const revocation = await store.register.revokeSession('sid', BY_ADMIN);
    const change = await store.lastChange();
    expect(revocation).toEqual({
      outcome: 'done',
      ended: [],
      change: { seq: change?.seq, jti: change?.jti },
      sessions: 1,
      tokens: 2,
    });
    expect(change).toMatchObject({
      kind: SESSION_REVOKED,
      members: { sessionId: 'sid' },
      entity_id: 'admin',
    });
    const kept = (await store.held()).filter((id) => !before.includes(id));
    expect(kept).toEqual(['interaction', 'other refresh', 'other session']);
    const remembered = await store.db.selectFrom('authority.ended_session').select('session_id').execute();
    expect(remembered.map(({ session_id }) => session_id)).toContain('sid');
  });

  it('again ends what a request under way has written back, and announces nothing', async () => {
    await store.register.revokeSession('sid again', BY_ADMIN);
    const { seq } = (await store.lastChange()) ?? {};
    await store.hold('RefreshToken', 'back', { payload: JSON.stringify({ sessionUid: 'sid again' }) });
    expect(await store.register.revokeSession('sid again', BY_ADMIN)).toEqual({
      ...ALREADY,
      sessions: 0,
      tokens: 1,
    });
    expect(await store.held()).not.toContain('back');
    expect((await store.lastChange())?.seq).toBe(seq);
  });

  it('that was never seen is announced, and said to be unknown', async () => {
    const { outcome, change, sessions, tokens } = await store.register.revokeSession('never', BY_ADMIN);
    expect({ outcome, sessions, tokens }).toEqual({ outcome: 'unknown', sessions: 0, tokens: 0 });
    expect(await store.lastChange()).toMatchObject({ ...change, members: { sessionId: 'never' } });
  });
});

describe('revoking a client', () => {
  it('ends all that was agreed with it and issued to it, and nothing of another', async () => {
    const ids = new Map<string, string>();
    for (const [subject, clientId] of [
      ['c1', 'bad'],
      ['c2', 'bad'],
      ['c1', 'good'],
    ] as const)
      ids.set(`${subject} ${clientId}`, (await store.register.grant(terms(subject, { clientId }))).id);
    await store.hold('ClientCredentials', 'of bad', { client_id: 'bad' });
    await store.hold('ClientCredentials', 'of good', { client_id: 'good' });
    const { outcome, ended, change } = await store.register.revokeClient('bad', BY_ADMIN);
    expect(outcome).toBe('done');
    expect(ended.map(({ id }) => id).sort()).toEqual([ids.get('c1 bad'), ids.get('c2 bad')].sort());
    expect(ended.map(({ status, endedBy }) => [status, endedBy])).toEqual([
      ['revoked', 'admin'],
      ['revoked', 'admin'],
    ]);
    expect(await store.lastChange()).toMatchObject({ ...change, members: { clientId: 'bad' } });
    expect(await store.register.find(ids.get('c1 good') ?? '')).toMatchObject({ status: 'active' });
    expect(await store.held()).toContain('of good');
    expect(await store.held()).not.toContain('of bad');
    const again = await store.register.revokeClient('bad', BY_ADMIN);
    expect(again).toMatchObject({ outcome: 'done', ended: [] });
    expect(again.change?.seq).toBeGreaterThan(change?.seq ?? Infinity);
  });

  it('that nobody ever agreed to is announced, and said to be unknown', async () => {
    const { outcome, change } = await store.register.revokeClient('misspelled', BY_ADMIN);
    expect(outcome).toBe('unknown');
    expect(await store.lastChange()).toMatchObject({ ...change, members: { clientId: 'misspelled' } });
  });
});

describe('revoking a person’s sign-ins', () => {
  it('ends their sessions and tokens; their consents stand', async () => {
    const { id } = await store.register.grant(terms('subject'));
    const over = await store.register.grant(terms('subject', { clientId: 'over' }));
    await store.register.revokeConsent(over.id, BY_ADMIN);
    const other = await store.register.grant(terms('bystander'));
    for (const model of ['Session', 'RefreshToken', 'AuthorizationCode', 'Interaction', 'Grant'])
      await store.hold(model, `${model} of subject`, { account_id: 'subject' });
    await store.hold('Session', 'Session of bystander', { account_id: 'bystander' });
    const revocation = await store.register.revokeSubjectSessions('subject', BY_ADMIN);
    const change = await store.lastChange();
    expect(revocation).toEqual({
      outcome: 'done',
      ended: [],
      change: { seq: change?.seq, jti: change?.jti },
      sessions: 1,
      tokens: 2,
    });
    expect(change).toMatchObject({ members: { subject: 'subject' }, reason: 'why' });
    expect((await store.held()).filter((key) => key.includes(' of subject'))).toEqual(['Grant of subject']);
    expect(await store.held()).toContain('Session of bystander');
    expect(await store.row(id)).toMatchObject({ status: 'active', tokens_not_before: change?.occurred_at });
    expect((await store.row(over.id)).tokens_not_before).toBeNull();
    expect((await store.row(other.id)).tokens_not_before).toBeNull();
  });

  it('moves the time up to which sign-ins are over', async () => {
    const cutoffs = async () =>
      (
        await store.db
          .selectFrom('authority.subject_cutoff')
          .select('not_before')
          .where('subject', '=', 'cut off')
          .execute()
      ).map(({ not_before }) => not_before);
    await store.register.revokeSubjectSessions('cut off', BY_ADMIN);
    const first = (await store.lastChange())?.occurred_at;
    expect(await cutoffs()).toEqual([first]);
    await store.register.revokeSubjectSessions('cut off', BY_ADMIN);
    const second = (await store.lastChange())?.occurred_at;
    expect(await cutoffs()).toEqual([second]);
  });

  it('is known by a consent, or by a sign-in alone', async () => {
    const outcome = async (subject: string): Promise<string> =>
      (await store.register.revokeSubjectSessions(subject, BY_ADMIN)).outcome;
    expect(await outcome('nobody')).toBe('unknown');
    await store.register.grant(terms('consenting', { until: LATER }));
    expect(await outcome('consenting')).toBe('done');
    await store.hold('Session', 'Session of somebody', { account_id: 'signed in' });
    expect(await outcome('signed in')).toBe('done');
  });
});
