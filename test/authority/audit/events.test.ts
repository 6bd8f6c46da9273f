import { randomUUID } from 'node:crypto';

import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type AuditEventName, auditEvents } from '@behalf/audit';
import { authorityEvents } from '../../../audit/authority-events.js';
import { AUTHORITY_EVENTS } from '../../../authority/audit/event-names.js';
import { beginRecording } from '../../../authority/audit/recording.js';
import { recordRunningPolicy } from '../../../authority/clients/running-policy.js';
import { removeGoneKeys } from '../../../authority/keys/retention.js';
import { revokeSigningKey, rotateSigningKeys } from '../../../authority/keys/rotate.js';
import { SealedSecrets } from '../../../authority/keys/sealed.js';
import { tendKeys } from '../../../authority/keys/tend.js';
import {
  ApplicationRegister,
  ConsentRegister,
  forgetSubject,
  SuspensionRegister,
  transact,
} from '../../../authority/internal.js';
import type { AuthoritySchema } from '../../../authority/internal.js';
import { recordUnchanged } from '../../../authority/interaction/record-unchanged.js';
import { removeForgottenStreams } from '../../../authority/ssf/forgotten.js';
import { StreamRegister } from '../../../authority/ssf/streams.js';
import { checkPolicy } from '../../../policy/index.js';
import { createAuthorityDatabase } from '../../support/authority-database.js';
import { consentTerms } from '../../support/consent-terms.js';
import type { TestDatabase } from '../../support/database.js';
import { POLICY_FILE } from '../setup.js';
import { type OutboxRow, waiting } from './support.js';

let database: TestDatabase<AuthoritySchema>;
beforeAll(async () => {
  database = await createAuthorityDatabase();
  await beginRecording(database.db);
  await sql`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'the commit fails'; end $$`.execute(database.db);
});
afterAll(() => database.drop());
beforeEach(() => empty());
afterEach(() => setFailing(false));

async function empty(): Promise<void> {
  await sql`delete from authority.audit_outbox`.execute(database.db);
}

/** Whether every transaction that writes an event fails when it commits. */
async function setFailing(isFailing: boolean): Promise<void> {
  const { db } = database;
  await sql`drop trigger if exists fails on authority.audit_outbox`.execute(db);
  if (!isFailing) return;
  await sql`create constraint trigger fails after insert on authority.audit_outbox
    deferrable initially deferred for each row execute function refuse()`.execute(db);
}

/** Everything that changes change. */
const TABLES = [
  'application',
  'application_event',
  'change_event',
  'consent',
  'consent_event',
  'consent_export',
  'ended_session',
  'forgotten_person',
  'running_policy',
  'signing_key',
  'stream',
  'subject_cutoff',
  'suspension',
] as const;

async function state(): Promise<unknown> {
  const each = TABLES.map(async (table) => {
    const { rows } =
      await sql`select ${table} as name, count(*), md5(string_agg(t::text, ',' order by t::text))
      from ${sql.table(`authority.${table}`)} as t`.execute(database.db);
    return rows;
  });
  return Promise.all(each);
}

const ADMIN = { by: 'operator:mira', initiator: 'admin', reason: 'incident 7' } as const;
const POLICY = checkPolicy(POLICY_FILE);
const REGISTRATION = {
  displayName: 'Pocket Budget',
  owner: 'Pocket Budget Ltd',
  contact: 'mailto:help@pocket.example',
  redirectUris: ['https://pocket.example/callback'],
};
const WISHES = {
  description: null,
  maxStalenessMs: null,
  eventsRequested: [],
  push: undefined,
};

const consents = (): ConsentRegister => new ConsentRegister(database.db);
const suspensions = (): SuspensionRegister => new SuspensionRegister(database.db);
const applications = (): ApplicationRegister => new ApplicationRegister(database.db);
const streams = (): StreamRegister => new StreamRegister(database.db);
const secrets = (): SealedSecrets => new SealedSecrets(database.db, new Uint8Array(32));
const someone = (): string => `person-${randomUUID()}`;

async function granted(more: Parameters<typeof consentTerms>[1] = {}) {
  const subject = someone();
  return consents().grant(consentTerms(subject, more));
}

async function keyIds(): Promise<string[]> {
  const rows = await database.db
    .selectFrom('authority.signing_key')
    .select('kid')
    .where('revoked_at', 'is', null)
    .orderBy('published_at')
    .execute();
  return rows.map(({ kid }) => kid);
}

/** An event's columns, as far as they say something. */
type Written = Partial<Pick<OutboxRow, 'event' | 'caller' | 'operator' | 'reason' | 'subjects' | 'details'>>;

interface Kind {
  /** What has to be there first, and then the change. */
  readonly prepare: () => Promise<() => Promise<unknown>>;
  readonly writes: readonly Written[];
}

const kind = (prepare: Kind['prepare'], ...writes: Written[]): Kind => ({ prepare, writes });
const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
const person = [expect.stringMatching(/^person-/) as string];
const byPerson = { subject: person[0] ?? '', clientId: 'budget-app' };
const MIRA = { caller: {}, operator: 'operator:mira', reason: 'incident 7' };

const KINDS: Readonly<Record<string, Kind>> = {
  'a person agrees': kind(
    async () => {
      const terms = consentTerms(someone(), { policyVersion: 'v1' });
      return () => consents().grant(terms);
    },
    { event: 'consent-requested', caller: { clientId: 'budget-app' }, subjects: person },
    {
      event: 'consent-granted',
      caller: byPerson,
      operator: null,
      subjects: person,
      details: expect.objectContaining({
        consentId: uuid,
        version: 1,
        clientId: 'budget-app',
        scopes: ['accounts:read'],
        purposes: ['budgeting'],
        policyVersion: 'v1',
      }) as NonNullable<Written['details']>,
    },
  ),
  'a person agrees to more': kind(
    async () => {
      const { subject } = await granted();
      const scopes = ['accounts:read', 'profile:read'];
      return () =>
        consents().grant(consentTerms(subject, { scopes, until: new Date(Date.now() + 7_200_000) }));
    },
    { event: 'consent-requested' },
    { event: 'consent-extended', caller: byPerson, subjects: person },
  ),
  'a person agrees to less': kind(
    async () => {
      const { subject } = await granted({ scopes: ['accounts:read', 'profile:read'] });
      return () => consents().grant(consentTerms(subject));
    },
    { event: 'consent-narrowed', caller: byPerson },
    { event: 'consent-requested' },
    {
      event: 'consent-granted',
      details: expect.objectContaining({ replaces: uuid }) as NonNullable<Written['details']>,
    },
  ),
  'a person narrows a consent': kind(
    async () => {
      const { id, subject } = await granted({ scopes: ['accounts:read', 'profile:read'] });
      return () => consents().narrow(id, { removeScopes: ['profile:read'], by: subject });
    },
    { event: 'consent-narrowed', caller: { subject: person[0] ?? '' }, subjects: person },
    { event: 'consent-granted', caller: { subject: person[0] ?? '' } },
  ),
  'a consent expires': kind(
    async () => {
      const { id } = await granted();
      const until = new Date(Date.now() - 1_000);
      await database.db.updateTable('authority.consent').set({ until }).where('id', '=', id).execute();
      return () => consents().recordExpired(10);
    },
    { event: 'consent-expired', caller: {}, operator: null, subjects: person },
  ),
  'a person revokes a consent': kind(
    async () => {
      const { id, subject } = await granted();
      return () => consents().revokeConsent(id, { by: subject, initiator: 'user' });
    },
    { event: 'consent-revoked', caller: { subject: person[0] ?? '' }, operator: null, subjects: person },
  ),
  'the authority revokes a consent': kind(
    async () => {
      const { id } = await granted();
      return () => consents().revokeConsent(id, { by: 'authority', initiator: 'policy', reason: 'reuse' });
    },
    { event: 'consent-revoked', caller: {}, operator: null, reason: 'reuse' },
  ),
  'the tokens of a consent end': kind(
    async () => {
      const { id } = await granted();
      return () => consents().endTokens(id, 'reuse');
    },
    { event: 'tokens-of-consent-revoked', subjects: person, reason: 'reuse' },
  ),
  'a person is forgotten': kind(
    async () => {
      const { id, subject } = await granted();
      await consents().revokeConsent(id, ADMIN);
      return () => forgetSubject(database.db, subject, { operator: 'operator:mira', reason: 'incident 7' });
    },
    { event: 'person-forgotten', ...MIRA, subjects: [], details: { consents: 1 } },
  ),
  'a token is revoked': kind(
    async () => {
      const [tokenId, subject] = [randomUUID(), someone()];
      await sql`insert into authority.token_status (list, idx, jti, subject, client_id, issued_at, expires_at)
        values (9, (select count(*) from authority.token_status), ${tokenId}, ${subject}, 'budget-app', now(), now() + interval '1 h')`.execute(
        database.db,
      );
      return () => consents().revokeToken(tokenId, ADMIN);
    },
    { event: 'token-revoked', ...MIRA, subjects: person, details: { tokenId: uuid, clientId: 'budget-app' } },
  ),
  'a session is revoked': kind(
    async () => {
      const session = await signedIn();
      return () => consents().revokeSession(session.id, ADMIN);
    },
    {
      event: 'session-revoked',
      ...MIRA,
      subjects: person,
      details: { sessionId: uuid, sessions: 1, tokens: 0 },
    },
  ),
  'a person signs out': kind(
    async () => {
      const session = await signedIn();
      const own = { by: session.subject, initiator: 'user', reason: 'signed out' } as const;
      return () => consents().revokeSession(session.id, own);
    },
    { event: 'signed-out', caller: { subject: person[0] ?? '' }, subjects: person },
  ),
  'another person signs in with the browser': kind(
    async () => {
      const session = await signedIn();
      const other = { by: someone(), initiator: 'user', reason: 'another person signed in' } as const;
      return () => consents().revokeSession(session.id, other);
    },
    { event: 'session-revoked', caller: { subject: person[0] ?? '' }, subjects: person },
  ),
  'a person’s sessions are revoked': kind(
    async () => {
      const { subject } = await granted();
      return () => consents().revokeSubjectSessions(subject, ADMIN);
    },
    { event: 'subject-sessions-revoked', ...MIRA, subjects: person },
  ),
  'a client is revoked': kind(
    async () => {
      await granted({ clientId: 'leaky' });
      return () => consents().revokeClient('leaky', ADMIN);
    },
    { event: 'client-revoked', ...MIRA, subjects: [], details: { clientId: 'leaky', consents: 1 } },
    { event: 'consent-revoked', ...MIRA, subjects: person },
  ),
  'consents are exported': kind(
    async () => {
      const { subject } = await granted();
      return () => consents().exportForRequest(subject, { by: 'operator:mira', reason: 'incident 7' });
    },
    { event: 'consents-exported', ...MIRA, subjects: person, details: { records: 1 } },
  ),
  'a client is suspended': kind(
    async () => () => suspensions().suspend({ kind: 'client', clientId: 'budget-app' }, ADMIN),
    { event: 'access-suspended', ...MIRA, details: { kind: 'client', clientId: 'budget-app' } },
  ),
  'a scope is suspended': kind(
    async () => () => suspensions().suspend({ kind: 'scope', scope: 'accounts:read' }, ADMIN),
    { event: 'access-suspended', ...MIRA, details: { kind: 'scope', scope: 'accounts:read' } },
  ),
  'everything is stopped': kind(async () => () => suspensions().suspend({ kind: 'everything' }, ADMIN), {
    event: 'access-suspended',
    ...MIRA,
    details: { kind: 'everything' },
  }),
  'a suspension is lifted': kind(
    async () => {
      const target = { kind: 'client', clientId: randomUUID() } as const;
      await suspensions().suspend(target, ADMIN);
      return () => suspensions().resume(target, ADMIN);
    },
    { event: 'access-resumed', ...MIRA, details: { kind: 'client', clientId: uuid } },
  ),
  'keys are made': kind(
    async () => async () => {
      await sql`delete from authority.signing_key`.execute(database.db);
      await tendKeys(database.db, secrets());
    },
    { event: 'signing-key-published', caller: {}, operator: null },
    { event: 'signing-key-published' },
  ),
  'a key is rotated': kind(
    async () => {
      await tendKeys(database.db, secrets());
      return () => transact(database.db, (trx) => rotateSigningKeys(trx, ADMIN));
    },
    {
      event: 'signing-key-rotated',
      ...MIRA,
      details: {
        keyId: expect.any(String) as string,
        replaces: expect.any(String) as string,
        from: expect.any(Number) as number,
      },
    },
  ),
  'a key is rotated by schedule': kind(
    async () => {
      await sql`delete from authority.signing_key`.execute(database.db);
      await tendKeys(database.db, secrets());
      const options = { initiator: 'policy', reason: 'by schedule' } as const;
      return () => transact(database.db, (trx) => rotateSigningKeys(trx, options));
    },
    { event: 'signing-key-rotated', caller: {}, operator: null, reason: 'by schedule' },
  ),
  'a key is revoked': kind(
    async () => {
      await tendKeys(database.db, secrets());
      const [kid = ''] = await keyIds();
      return () => transact(database.db, (trx) => revokeSigningKey(trx, kid, ADMIN));
    },
    { event: 'signing-key-revoked', ...MIRA, details: { keyId: expect.any(String) as string } },
  ),
  'a key leaves the key set': kind(
    async () => {
      await tendKeys(database.db, secrets());
      const [kid = ''] = await keyIds();
      const gone = sql<Date>`clock_timestamp() - interval '1 s'`;
      await database.db
        .updateTable('authority.signing_key')
        .set({ signs_until: gone, gone_at: gone })
        .where('kid', '=', kid)
        .execute();
      return () => removeGoneKeys(database.db);
    },
    { event: 'signing-key-withdrawn', caller: {}, details: { keyId: expect.any(String) as string } },
  ),
  'a client is registered': kind(async () => () => register('budget-app'), {
    event: 'client-registered',
    caller: {},
    operator: 'operator:mira',
    details: { clientId: 'budget-app' },
  }),
  'a client is changed': kind(
    async () => {
      await registerOnce('bank-console');
      const changed = { ...REGISTRATION, owner: 'Somebody Else', origins: ['https://pocket.example'] };
      return () => applications().change('bank-console', changed, { by: 'operator:mira', policy: POLICY });
    },
    {
      event: 'client-changed',
      operator: 'operator:mira',
      details: { clientId: 'bank-console', changed: ['origins', 'owner'] },
    },
  ),
  'a secret is renewed': kind(
    async () => {
      await registerOnce('bank-console');
      return () => applications().renewSecret('bank-console', { by: 'operator:mira' });
    },
    { event: 'client-secret-renewed', operator: 'operator:mira', details: { clientId: 'bank-console' } },
  ),
  'a client is retired': kind(
    async () => {
      await registerOnce('bank-console');
      return () => applications().retire('bank-console', ADMIN);
    },
    { event: 'client-retired', ...MIRA, details: { clientId: 'bank-console' } },
    { event: 'client-revoked', ...MIRA },
  ),
  'another policy runs': kind(
    async () => {
      await recordRunningPolicy(database.db, checkPolicy({ ...POLICY_FILE, clients: {} }));
      return () => recordRunningPolicy(database.db, POLICY);
    },
    {
      event: 'policy-changed',
      caller: {},
      details: { version: expect.any(String) as string, replaces: expect.any(String) as string },
    },
  ),
  'a stream is created': kind(async () => () => streams().create('operator', WISHES), {
    event: 'stream-created',
    details: { streamId: uuid, receiver: 'operator', delivery: 'poll' },
  }),
  'a stream is changed': kind(
    async () => {
      const { id = '' } = (await streams().create('operator', WISHES)) ?? {};
      return () => streams().configure(id, WISHES);
    },
    { event: 'stream-changed', details: { streamId: uuid, receiver: 'operator', delivery: 'poll' } },
  ),
  'a stream is paused': kind(
    async () => {
      const { id = '' } = (await streams().create('operator', WISHES)) ?? {};
      return () => streams().setStatus(id, 'paused', 'maintenance');
    },
    {
      event: 'stream-status-changed',
      reason: 'maintenance',
      details: { streamId: uuid, receiver: 'operator', status: 'paused' },
    },
  ),
  'a stream is removed': kind(
    async () => {
      const { id = '' } = (await streams().create('operator', WISHES)) ?? {};
      return () => streams().remove(id);
    },
    { event: 'stream-removed', reason: null, details: { streamId: uuid, receiver: 'operator' } },
  ),
  'a stream is forgotten': kind(
    async () => {
      const { id = '' } = (await streams().create('operator', WISHES)) ?? {};
      const longAgo = new Date(0);
      await database.db
        .updateTable('authority.stream')
        .set({ polled_at: longAgo })
        .where('id', '=', id)
        .execute();
      return () => removeForgottenStreams(database.db);
    },
    { event: 'stream-removed', reason: 'nobody read it for too long' },
  ),
  'a person keeps a consent': kind(() => unchanged('kept'), {
    event: 'consent-kept',
    caller: byPerson,
    details: { clientId: 'budget-app', scopes: ['accounts:read'], consentId: uuid },
  }),
  'a person refuses': kind(() => unchanged('refused'), {
    event: 'consent-refused',
    caller: byPerson,
  }),
};

/** Somebody is asked. @returns their decision */
async function unchanged(decision: 'kept' | 'refused'): Promise<() => Promise<void>> {
  const question = { subject: someone(), clientId: 'budget-app', scopes: ['accounts:read'] };
  const interactionId = randomUUID();
  const row = { model: 'Interaction', id: interactionId, payload: '{}' };
  await database.db.insertInto('authority.oidc_payload').values(row).execute();
  const consentId = randomUUID();
  return () => recordUnchanged(database.db, decision, { ...question, interactionId, consentId });
}

async function signedIn(): Promise<{ readonly id: string; readonly subject: string }> {
  const [id, subject] = [randomUUID(), someone()];
  const row = { model: 'Session', id, uid: id, account_id: subject, payload: '{}' };
  await database.db.insertInto('authority.oidc_payload').values(row).execute();
  return { id, subject };
}

async function register(clientId: string): Promise<unknown> {
  return applications().register(clientId, REGISTRATION, {
    by: 'operator:mira',
    confidential: true,
    policy: POLICY,
  });
}

async function registerOnce(clientId: string): Promise<void> {
  await sql`delete from authority.application where client_id = ${clientId}`.execute(database.db);
  await register(clientId);
}

describe.each(Object.entries(KINDS))('when %s', (_, { prepare, writes }) => {
  it('the event is written with the change, and rolled back with it', async () => {
    const change = await prepare();
    await empty();
    const before = await state();
    await setFailing(true);
    await expect(change()).rejects.toThrow('the commit fails');
    expect(await waiting(database.db)).toEqual([]);
    expect(await state()).toEqual(before);
    await setFailing(false);
    await change();
    const rows = await waiting(database.db);
    expect(rows).toMatchObject(writes);
    expect(new Set(rows.map(({ transaction_id: id }) => id)).size).toBe(1);
    expect(new Set(rows.map(({ event_id: id }) => id)).size).toBe(rows.length);
    for (const { details, event } of rows) {
      const documented: readonly string[] = auditEvents[event as AuditEventName].details;
      expect(documented).toEqual(expect.arrayContaining(Object.keys(details ?? {})));
    }
  });
});

it('every event of consents and security is one of these, or a sign-in', () => {
  const written = Object.values(KINDS).flatMap(({ writes }) => writes.map(({ event }) => event));
  const signIns = ['signed-in', 'sign-in-failed', 'sign-in-failures-counted'];
  const known = Object.entries(auditEvents).filter(
    ([, { class: its }]) => its === 'consent' || its === 'security',
  );
  expect([...new Set([...written, ...signIns])].sort()).toEqual(known.map(([name]) => name).sort());
});

describe('nothing is written', () => {
  it('when a change repeats what is so already', async () => {
    const { id } = await granted();
    await consents().revokeConsent(id, ADMIN);
    await recordRunningPolicy(database.db, POLICY);
    await empty();
    expect(await consents().revokeConsent(id, ADMIN)).toMatchObject({ outcome: 'already' });
    expect(await consents().revokeConsent('unknown', ADMIN)).toMatchObject({ outcome: 'unknown' });
    await recordRunningPolicy(database.db, POLICY);
    expect(await waiting(database.db)).toEqual([]);
  });

  it('when a refusal arrives again, also at the same moment', async () => {
    const refusal = await unchanged('refused');
    await empty();
    await Promise.all(Array.from({ length: 4 }, refusal));
    await refusal();
    expect(await waiting(database.db)).toMatchObject([{ event: 'consent-refused' }]);
  });

  it('unless an authority passes events on', async () => {
    const quiet = await createAuthorityDatabase();
    try {
      const register = new ConsentRegister(quiet.db);
      const { id } = await register.grant(consentTerms('alma'));
      await register.revokeConsent(id, ADMIN);
      expect(await waiting(quiet.db)).toEqual([]);
    } finally {
      await quiet.drop();
    }
  });
});

describe('what a caller wrote', () => {
  it.each(['a\0b', 'a\ud800b', `${'x'.repeat(2_000)}\ud83d`, "'); drop table authority.audit_outbox; --"])(
    'does not prevent a revocation: %j',
    async (text) => {
      const request = {
        transactionId: text,
        traceId: text,
        caller: {
          subject: text,
          clientId: text,
          actor: text,
          purposes: Array.from({ length: 200 }, () => text),
        },
      };
      const { id } = await granted();
      await empty();
      const options = { by: 'somebody', initiator: 'admin', request } as const;
      expect(await consents().revokeConsent(id, options)).toMatchObject({ outcome: 'done' });
      const [row] = await waiting(database.db);
      expect(row?.transaction_id).toMatch(/^[0-9a-f-]{36}$/);
      expect(row?.trace_id).toBeNull();
      expect(row?.caller.clientId?.length).toBeLessThanOrEqual(256);
      expect(row?.caller.purposes).toHaveLength(100);
    },
  );
});

it('the authority names the events that the audit log describes', () => {
  expect([...AUTHORITY_EVENTS].sort()).toEqual(Object.keys(authorityEvents).sort());
});
