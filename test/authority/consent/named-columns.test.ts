import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { forgetSubject } from '../../../authority/consent/forget.js';
import type { AuthoritySchema } from '../../../authority/schema.js';
import { createAuthorityDatabase } from '../../support/authority-database.js';
import type { TestDatabase } from '../../support/database.js';

/**
 * For each column that can hold a text: `renamed`, if a tombstone takes the place of a person's name; `removed`, if the row goes;
 * or else why no name is in it. Free texts can have any name: nobody is found by them, and the runbook says so.
 */
const FREE_TEXT = 'a reason, as somebody wrote it';
const IDENTIFIERS = 'identifiers that name no person';
const CONSENTED = 'what was consented to';
const SECRET = 'a key or a secret, or its digest';

const DECISIONS: Readonly<Record<string, string>> = {
  'account.display_name': 'removed',
  'account.password_hash': 'removed',
  'account.policies': 'removed',
  'account.roles': 'removed',
  'account.subject': 'removed',
  'account.username': 'removed',
  'application.client_id': IDENTIFIERS,
  'application.registration': 'what an organisation says of itself',
  'application.secret_digest': SECRET,
  'application_event.client_id': IDENTIFIERS,
  'application_event.entity_id': 'renamed',
  'application_event.event_type': IDENTIFIERS,
  'application_event.reason': FREE_TEXT,
  'application_event.registration': 'what an organisation says of itself',
  'audit_outbox.caller': 'renamed',
  'audit_outbox.details': IDENTIFIERS,
  'audit_outbox.event': IDENTIFIERS,
  'audit_outbox.operator': 'renamed',
  'audit_outbox.reason': FREE_TEXT,
  'audit_outbox.subjects': 'renamed',
  'audit_outbox.trace_id': IDENTIFIERS,
  'change_event.entity_id': 'renamed',
  'change_event.kind': IDENTIFIERS,
  'change_event.members': 'renamed',
  'change_event.reason': FREE_TEXT,
  'change_event.initiator': IDENTIFIERS,
  'channel.channel': IDENTIFIERS,
  'channel.name': IDENTIFIERS,
  'consent.client_id': IDENTIFIERS,
  'consent.declined': CONSENTED,
  'consent.declined_purposes': CONSENTED,
  'consent.detail': CONSENTED,
  'consent.levels': CONSENTED,
  'consent.ended_by': 'renamed',
  'consent.ended_reason': FREE_TEXT,
  'consent.id': IDENTIFIERS,
  'consent.purposes': CONSENTED,
  'consent.scopes': CONSENTED,
  'consent.status': CONSENTED,
  'consent.subject': 'renamed',
  'consent_event.client_id': IDENTIFIERS,
  'consent_event.declined': CONSENTED,
  'consent_event.declined_purposes': CONSENTED,
  'consent_event.detail': CONSENTED,
  'consent_event.levels': CONSENTED,
  'consent_event.entity_id': 'renamed',
  'consent_event.event_type': IDENTIFIERS,
  'consent_event.pii_principal_id': 'renamed',
  'consent_event.policy_version': IDENTIFIERS,
  'consent_event.privacy_notice': 'renamed in the line that greets the person',
  'consent_event.purposes': CONSENTED,
  'consent_event.reason': FREE_TEXT,
  'consent_event.record_id': IDENTIFIERS,
  'consent_event.replaces': IDENTIFIERS,
  'consent_event.schema_version': IDENTIFIERS,
  'consent_event.scopes': CONSENTED,
  'consent_export.entity_id': 'renamed',
  'consent_export.pii_principal_id': 'renamed',
  'consent_export.reason': FREE_TEXT,
  'ended_session.session_id': IDENTIFIERS,
  'forgotten_person.subject': 'removed after an hour',
  'forgotten_person.tombstone': IDENTIFIERS,
  'lock.name': IDENTIFIERS,
  'migration.name': IDENTIFIERS,
  'oidc_payload.account_id': 'removed',
  'oidc_payload.client_id': IDENTIFIERS,
  'oidc_payload.grant_id': IDENTIFIERS,
  'oidc_payload.id': IDENTIFIERS,
  'oidc_payload.model': IDENTIFIERS,
  'oidc_payload.payload': 'removed',
  'oidc_payload.uid': IDENTIFIERS,
  'running_policy.clients': IDENTIFIERS,
  'running_policy.version': IDENTIFIERS,
  'sealed_secret.ciphertext': SECRET,
  'sealed_secret.name': IDENTIFIERS,
  'sealed_secret.nonce': SECRET,
  'signing_key.ciphertext': SECRET,
  'signing_key.kid': IDENTIFIERS,
  'signing_key.nonce': SECRET,
  'signing_key.public_jwk': SECRET,
  'stream.description': 'the name of a gateway',
  'stream.events': IDENTIFIERS,
  'stream.events_requested': IDENTIFIERS,
  'stream.id': IDENTIFIERS,
  'stream.push_ciphertext': SECRET,
  'stream.push_endpoint': 'the address of a receiver',
  'stream.push_lease': IDENTIFIERS,
  'stream.push_nonce': SECRET,
  'stream.receiver': 'the name of a receiver in the options',
  'stream.secret_digest': SECRET,
  'stream.status': IDENTIFIERS,
  'stream.status_reason': FREE_TEXT,
  'stream_ack.stream_id': IDENTIFIERS,
  'stream_verification.state': 'what a receiver sent to have it back',
  'stream_verification.stream_id': IDENTIFIERS,
  'subject_cutoff.subject': 'removed after an hour',
  'suspension.ended_by': 'renamed',
  'suspension.ended_reason': FREE_TEXT,
  'suspension.kind': IDENTIFIERS,
  'suspension.reason': FREE_TEXT,
  'suspension.suspended_by': 'renamed',
  'suspension.target': 'the name of a client or a scope',
  'token_status.actors': IDENTIFIERS,
  'token_status.client_id': IDENTIFIERS,
  'token_status.consent_id': IDENTIFIERS,
  'token_status.exchanged_from': IDENTIFIERS,
  'token_status.jti': IDENTIFIERS,
  'token_status.session_id': IDENTIFIERS,
  'token_status.subject': 'renamed',
};

let database: TestDatabase<AuthoritySchema>;
beforeAll(async () => {
  database = await createAuthorityDatabase();
});
afterAll(() => database.drop());

interface Column {
  readonly name: string;
  readonly table: string;
  readonly column: string;
  readonly type: string;
  /** The row is refused without a value of the column. */
  readonly needed: boolean;
}

async function columnsOf(db: Kysely<AuthoritySchema>): Promise<Column[]> {
  const { rows } = await sql<Column>`
    select table_name || '.' || column_name as name, table_name as table, column_name as column,
      case data_type when 'ARRAY' then 'text[]' else data_type end as type,
      is_nullable = 'NO' and column_default is null and is_identity = 'NO' as needed
    from information_schema.columns where table_schema = 'authority' order by ordinal_position`.execute(db);
  return rows;
}

/** Whole numbers, times and the like. Any other type may hold a name. */
const NAMELESS = ['bigint', 'integer', 'boolean', 'timestamp with time zone', 'uuid'];

it('of every column that can hold a text, it is decided whether it can name a person', async () => {
  const texts = (await columnsOf(database.db)).filter(({ type }) => !NAMELESS.includes(type));
  expect(texts.map(({ name }) => name).sort()).toEqual(Object.keys(DECISIONS).sort());
});

/** Values that the checks of a table want. */
const VALUES: Readonly<Record<string, string>> = {
  'consent.status': 'revoked',
  'consent.detail': 'full',
  'consent_event.detail': 'full',
  'consent_event.event_type': 'granted',
  'application_event.event_type': 'changed',
  'change_event.initiator': 'user',
  'suspension.kind': 'client',
};

/** Beside the name, what the checks of a row want. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  consent: ['ended_at'],
  suspension: ['ended_at', 'ended_by'],
};

const NAME = 'c-000777';

function valueOf({ column, name, type }: Column, named: string): unknown {
  if (name === named) {
    if (type === 'text[]') return sql`array['x', ${NAME}]`;
    if (name === 'change_event.members') return sql`jsonb_build_object('subject', ${NAME}::text)`;
    if (type === 'json') return sql`json_build_object('subject', ${NAME}::text, 'clientId', 'x')`;
    if (type === 'jsonb')
      return sql`jsonb_build_object('session', jsonb_build_object('accountId', ${NAME}::text))`;
    return NAME;
  }
  if (VALUES[name] !== undefined) return VALUES[name];
  if (type.startsWith('json')) return '{}';
  if (type === 'text[]') return sql`'{}'::text[]`;
  if (type === 'uuid') return sql`gen_random_uuid()`;
  if (type === 'boolean') return false;
  if (type === 'bigint' || type === 'integer') return 7_000_000;
  if (type.startsWith('timestamp')) return sql`timestamptz '2026-01-01Z'`;
  return `other-${column}`;
}

const NAMING = Object.entries(DECISIONS).filter(
  // These go with the account, and can be anything.
  ([name, decision]) =>
    (decision === 'renamed' || decision === 'removed') && !/^account\.(?!subject)/.test(name),
);

it.each(NAMING)('a name in %s is %s', async (named) => {
  const { db } = database;
  const [table = ''] = named.split('.');
  const columns = (await columnsOf(db)).filter((each) => each.table === table);
  const filled = columns.filter(
    ({ column, name, needed }) => needed || name === named || (TOGETHER[table] ?? []).includes(column),
  );
  await sql`insert into ${sql.table(`authority.${table}`)} (${sql.join(filled.map(({ column }) => sql.id(column)))})
    values (${sql.join(filled.map((each) => valueOf(each, named)))})`.execute(db);
  const count = async (pattern: string): Promise<number> => {
    const { rows } = await sql<{ count: number }>`select count(*)::integer as count
      from ${sql.table(`authority.${table}`)} as t where t::text like ${`%${pattern}%`}`.execute(db);
    return rows[0]?.count ?? -1;
  };
  const tombstones = await count('erased-');
  expect(await count(NAME)).toBe(1);
  const { outcome } = await forgetSubject(db, NAME, { operator: 'dana', reason: 'request 4711' });
  expect(outcome).toBe('done');
  expect(await count(NAME)).toBe(0);
  expect(await count('erased-')).toBe(tombstones + (DECISIONS[named] === 'renamed' ? 1 : 0));
  // The next one is somebody new, and the row makes room.
  await sql`delete from authority.forgotten_person`.execute(db);
  await sql`delete from authority.subject_cutoff`.execute(db);
  if (['token_status', 'consent'].includes(table))
    await sql`delete from ${sql.table(`authority.${table}`)}`.execute(db);
  if (table === 'change_event') await sql`delete from authority.change_event where seq = 7000000`.execute(db);
});
