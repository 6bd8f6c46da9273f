import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { beginRecording } from '../../../authority/audit/recording.js';
import { finishForgetting } from '../../../authority/consent/finish-forgetting.js';
import { forgetSubject } from '../../../authority/consent/forget.js';
import { Housekeeping } from '../../../authority/housekeeping.js';
import { verifyConsents } from '../../../authority/consent/verify.js';
import { type ConsentView, wordsOf } from '../../../authority/pages/consent.js';
import { LANGUAGES } from '../languages/support.js';
import { StreamRegister } from '../../../authority/ssf/streams.js';
import { passAnHour, tablesWith } from '../../support/forgetting.js';
import { ManualClock } from '../../support/manual-clock.js';
import { waiting } from '../audit/support.js';
import { BY_ADMIN, NOTICE, terms, TestStore } from './support.js';

const NAME = 'c-000777';
const BY = { operator: 'dana', reason: 'request 4711' };
const TOMBSTONE = expect.stringMatching(/^erased-[0-9a-f-]{36}$/) as string;

let store: TestStore;
beforeEach(async () => {
  store = await TestStore.open();
});
afterEach(() => store.close());

const named = (name = NAME): Promise<string[]> => tablesWith(store.db as never, 'authority', name);

async function addAccount(subject = NAME): Promise<void> {
  const account = { subject, username: 'zelda', display_name: 'Zelda Quist', password_hash: '', demo: false };
  await store.db
    .insertInto('authority.account')
    .values({ ...account, roles: [], policies: [] })
    .execute();
}

/** A person with an account, who took back what they agreed to. */
async function formerCustomer(): Promise<string> {
  await addAccount();
  const { id } = await store.register.grant(terms(NAME));
  await store.register.narrow(id, { by: NAME, removeScopes: ['a'] });
  const [newest] = await store.register.listForSubject(NAME);
  await store.register.revokeConsent(newest?.id ?? '', { by: NAME, initiator: 'user' });
  await store.register.revokeSubjectSessions(NAME, BY_ADMIN);
  return newest?.id ?? '';
}

describe('forgetting a person', () => {
  it('leaves consents of one unknown person, who equal their log', async () => {
    const id = await formerCustomer();
    await store.hold('Session', 's', { account_id: NAME, payload: JSON.stringify({ accountId: NAME }) });
    await store.hold('Interaction', 'i', { payload: JSON.stringify({ session: { accountId: NAME } }) });
    await store.hold('Session', 'other', {
      account_id: 'noor',
      payload: JSON.stringify({ accountId: 'noor' }),
    });
    expect(await forgetSubject(store.db, NAME, BY)).toEqual({ outcome: 'done', consents: 2 });
    expect(await store.row(id)).toMatchObject({ subject: TOMBSTONE, ended_by: TOMBSTONE, status: 'revoked' });
    const people = (await store.events(id)).flatMap((event) => [event.pii_principal_id, event.entity_id]);
    expect(new Set(people.filter((each) => each !== 'app'))).toEqual(
      new Set([(await store.row(id)).subject]),
    );
    expect(await verifyConsents(store.db)).toEqual({ checked: 2, differences: [] });
    expect(await store.register.listForSubject(NAME)).toEqual([]);
    expect(await store.held()).toEqual(['other']);
    expect(await named('Zelda')).toEqual([]);
    expect(await named('zelda')).toEqual([]);
  });

  it('is recorded with the operator and the reason, and without the name', async () => {
    await beginRecording(store.db);
    await formerCustomer();
    await forgetSubject(store.db, NAME, BY);
    const rows = await waiting(store.db);
    expect(rows.at(-1)).toMatchObject({
      ...{ event: 'person-forgotten', operator: 'dana', reason: 'request 4711' },
      ...{ caller: {}, subjects: [], details: { consents: 2 } },
    });
    expect(JSON.stringify(rows)).not.toContain(NAME);
    expect(rows.find(({ event }) => event === 'consent-narrowed')).toMatchObject({
      caller: { subject: TOMBSTONE },
      subjects: [TOMBSTONE],
    });
  });

  it('is refused while a consent is in force, and changes nothing then', async () => {
    await addAccount();
    const { id } = await store.register.grant(terms(NAME));
    await expect(forgetSubject(store.db, NAME, BY)).rejects.toMatchObject({
      code: 'CONSENTS_IN_FORCE',
      message: `End their consents in force first (behalf revoke consent): ${id}`,
    });
    expect(await store.row(id)).toMatchObject({ subject: NAME, status: 'active' });
    expect(await store.db.selectFrom('authority.forgotten_person').selectAll().execute()).toEqual([]);
  });

  it('records first that a consent expired', async () => {
    const { id } = await store.register.grant(terms(NAME));
    await store.change(id, { until: new Date(Date.now() - 1_000) });
    expect(await forgetSubject(store.db, NAME, BY)).toMatchObject({ outcome: 'done' });
    expect(await store.row(id)).toMatchObject({
      subject: TOMBSTONE,
      status: 'expired',
      ended_by: 'authority',
    });
  });

  it('replaces the name in what an administrator did to others, and leaves their names', async () => {
    const { id } = await store.register.grant(terms('noor'));
    await store.register.revokeConsent(id, { by: NAME, initiator: 'admin', reason: 'a complaint' });
    await forgetSubject(store.db, NAME, BY);
    expect(await store.row(id)).toMatchObject({ subject: 'noor', ended_by: TOMBSTONE });
    expect(await verifyConsents(store.db)).toEqual({ checked: 1, differences: [] });
  });

  it.each(['en', 'de'])(
    'takes their name out of the words of the page that they agreed on, in %s',
    async (tag) => {
      const language = LANGUAGES.choose({ chosen: tag });
      const view: ConsentView = {
        ...{ action: '', personName: 'Zelda <Quist>\n & Sons', client: { name: 'App', owner: 'App Ltd' } },
        ...{ purposes: [], scopes: [], durations: [], duration: '', details: [], detail: 'full' },
      };
      const { text } = wordsOf(language, view);
      expect(text).toContain('Zelda');
      const { signedInAs } = language.messages.consent;
      // Notices of earlier versions have no such member.
      const notice = { ...NOTICE, text, ...(tag === 'de' && { language: tag, signedInAs }) };
      const { id } = await store.register.grant(terms(NAME, { notice }));
      await store.register.revokeConsent(id, BY_ADMIN);
      await forgetSubject(store.db, NAME, BY);
      const { subject } = await store.row(id);
      const notices = (await store.events(id)).flatMap(({ privacy_notice: stored }) => stored ?? []);
      expect(notices).toEqual([
        { ...notice, text: wordsOf(language, { ...view, personName: subject }).text },
      ]);
    },
  );

  it('says that somebody is unknown, or was forgotten before', async () => {
    expect(await forgetSubject(store.db, 'nobody', BY)).toEqual({ outcome: 'unknown', consents: 0 });
    expect(await named('nobody')).toEqual([]);
    await formerCustomer();
    await forgetSubject(store.db, NAME, BY);
    expect(await forgetSubject(store.db, NAME, BY)).toEqual({ outcome: 'already', consents: 0 });
  });

  it('forgets somebody whose sign-ins alone were ended, under a name that may be mistyped', async () => {
    await store.register.revokeSubjectSessions('mistyped', BY_ADMIN);
    expect(await forgetSubject(store.db, 'mistyped', BY)).toEqual({ outcome: 'done', consents: 0 });
  });
});

describe('for an hour', () => {
  it('new streams begin with what ended the person’s tokens, and the name is nowhere else', async () => {
    const id = await formerCustomer();
    await forgetSubject(store.db, NAME, BY);
    expect(await named()).toEqual([
      'authority.change_event',
      'authority.forgotten_person',
      'authority.subject_cutoff',
    ]);
    const revoked = (await store.changes()).filter(({ members }) => members.subject === NAME);
    expect(revoked.map(({ members }) => members)).toContainEqual({
      consentId: id,
      subject: NAME,
      clientId: 'app',
    });
    const wishes = { eventsRequested: [], description: null, maxStalenessMs: null, push: undefined };
    const { delivered_seq: from } = await store.db
      .selectFrom('authority.stream')
      .select('delivered_seq')
      .where('id', '=', (await new StreamRegister(store.db).create('gateways', wishes))?.id ?? '')
      .executeTakeFirstOrThrow();
    expect(Math.min(...revoked.map(({ seq }) => seq))).toBeGreaterThan(from);
  });

  it('housekeeping waits, and then leaves the name nowhere', async () => {
    await formerCustomer();
    await forgetSubject(store.db, NAME, BY);
    const log = { log: () => undefined };
    const options = { db: store.db, log, clock: ManualClock.running(), relaysEvents: false };
    const housekeeping = new Housekeeping(options);
    await housekeeping.run();
    expect(await named()).toHaveLength(3);
    await passAnHour(store.db as never);
    await housekeeping.run();
    await housekeeping.close();
    expect(await named()).toEqual([]);
    expect((await store.changes()).filter(({ members }) => members.subject !== undefined)).not.toEqual([]);
  });

  it('what a request in progress wrote back is of no use, and goes; what they did since stays', async () => {
    const id = await formerCustomer();
    await forgetSubject(store.db, NAME, BY);
    const hold = (model: string, key: string, row: object, more: { grant_id?: string } = {}): Promise<void> =>
      store.hold(model, key, { account_id: NAME, payload: JSON.stringify(row), ...more });
    await hold('Session', 'old-session', { accountId: NAME, loginTs: 1 });
    await hold('RefreshToken', 'old-token', { accountId: NAME }, { grant_id: id });
    await passAnHour(store.db as never);
    await addAccount();
    const again = await store.register.grant(terms(NAME));
    await hold('Session', 'new-session', { accountId: NAME, loginTs: Date.now() / 1_000 });
    await hold('RefreshToken', 'new-token', { accountId: NAME }, { grant_id: again.id });
    await store.register.revokeSubjectSessions(NAME, BY_ADMIN);
    await hold('Session', 'newer-session', { accountId: NAME, loginTs: Date.now() / 1_000 + 1 });
    await hold('RefreshToken', 'newer-token', { accountId: NAME }, { grant_id: again.id });
    await finishForgetting(store.db);
    expect(await store.held()).toEqual(['newer-session', 'newer-token']);
    expect(await store.db.selectFrom('authority.subject_cutoff').select('subject').execute()).toEqual([
      { subject: NAME },
    ]);
    const since = (await store.changes()).filter(({ members }) => members.subject === NAME);
    expect(since).toHaveLength(1);
  });
});

describe('the same person', () => {
  it('cannot agree until they have an account again, and is somebody new then', async () => {
    const before = await formerCustomer();
    await forgetSubject(store.db, NAME, BY);
    await expect(store.register.grant(terms(NAME))).rejects.toThrow('The person was forgotten');
    expect(await store.register.listForSubject(NAME)).toEqual([]);
    await addAccount();
    const { id, version } = await store.register.grant(terms(NAME));
    expect(version).toBe(1);
    expect(await store.row(before)).not.toMatchObject({ subject: NAME });
    await store.register.revokeConsent(id, BY_ADMIN);
    await forgetSubject(store.db, NAME, BY);
    expect((await store.row(id)).subject).not.toBe((await store.row(before)).subject);
  });

  it('is not named by a consent that they agreed to at the same time', async () => {
    await addAccount();
    const { id } = await store.register.grant(terms(NAME));
    await store.register.revokeConsent(id, BY_ADMIN);
    const results = await Promise.allSettled([
      forgetSubject(store.db, NAME, BY),
      store.register.grant(terms(NAME)),
    ]);
    // One of them came first, and the other was refused.
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const names = new Set((await store.register.list()).items.map(({ subject }) => subject));
    expect(names).toEqual(new Set([results[0].status === 'fulfilled' ? TOMBSTONE : NAME]));
  });
});
