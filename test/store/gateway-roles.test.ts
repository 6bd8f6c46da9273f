import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createRoledDatabase, type RoledDatabase, type Thief } from '../support/gateway-roles.js';

let roled: RoledDatabase;
beforeAll(async () => {
  roled = await createRoledDatabase();
});
afterAll(() => roled.drop());

const ROLES = ['writer', 'replay', 'reader'] as const;
/** What the reader may read. */
const LOG = ['record', 'record_subject', 'leaf', 'tile', 'head', 'checkpoint'].map((name) => `audit.${name}`);

async function refusal(thief: Thief, statement: string): Promise<unknown> {
  const client = await thief.connect();
  try {
    // Some statements are refused just for running outside of a transaction.
    await client.query('begin');
    await client.query(statement);
    return 'nothing was refused';
  } catch (error) {
    return (error as { code?: unknown }).code;
  } finally {
    await client.end();
  }
}

/** Everything outside of PostgreSQL's own schemas that the catalogue permits a role, by any path. */
async function rightsOf(role: string): Promise<string[]> {
  const { rows } = await sql<{ what: string }>`
    select 'schema ' || nspname || ' ' || p as what
      from pg_namespace, unnest(array['USAGE', 'CREATE']) p
      where nspname !~ '^(pg_|information_schema$)' and has_schema_privilege(${role}, oid, p)
    union all
    select 'table ' || c.oid::regclass || ' ' || p
      from pg_class c join pg_namespace n on n.oid = c.relnamespace,
        unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p
      where nspname !~ '^(pg_|information_schema$)' and relkind in ('r', 'v', 'm', 'f', 'p')
        and has_any_column_privilege(${role}, c.oid, p)
    union all
    select 'table ' || c.oid::regclass || ' ' || p
      from pg_class c join pg_namespace n on n.oid = c.relnamespace,
        unnest(array['DELETE', 'TRUNCATE', 'TRIGGER']) p
      where nspname !~ '^(pg_|information_schema$)' and relkind in ('r', 'v', 'm', 'f', 'p')
        and has_table_privilege(${role}, c.oid, p)
    union all
    select 'sequence ' || c.oid::regclass || ' ' || p
      from pg_class c, unnest(array['USAGE', 'SELECT', 'UPDATE']) p
      where relkind = 'S' and has_sequence_privilege(${role}, c.oid, p)
    union all
    select 'function ' || f.oid::regprocedure
      from pg_proc f join pg_namespace n on n.oid = f.pronamespace
      where nspname !~ '^(pg_|information_schema$)' and has_function_privilege(${role}, f.oid, 'EXECUTE')
        and has_schema_privilege(${role}, n.oid, 'USAGE')
    union all
    select 'database ' || p from unnest(array['CONNECT', 'CREATE', 'TEMPORARY']) p
      where has_database_privilege(${role}, current_database(), p)
    union all
    select 'member of ' || g.rolname from pg_auth_members m join pg_roles g on g.oid = m.roleid
      where m.member = ${role}::regrole
    union all
    select 'granted by name: ' || f.oid::regprocedure
      from pg_proc f join pg_namespace n on n.oid = f.pronamespace, aclexplode(f.proacl) a
      where nspname = 'pg_catalog' and a.grantee = ${role}::regrole
    union all
    select 'owns something' from pg_shdepend where refobjid = ${role}::regrole and deptype = 'o'`.execute(
    roled.database.db,
  );
  return rows.map(({ what }) => what).sort();
}

describe('a limited role', () => {
  it.each([
    ['writer', ['audit.append(jsonb)', 'audit.pseudonyms(text[])'], 'audit', []],
    ['replay', ['replay.claim(bytea,integer)'], 'replay', []],
    [
      'reader',
      ['audit.append(jsonb)', 'audit.known_pseudonym(text)', 'audit.pseudonyms(text[])'],
      'audit',
      LOG,
    ],
  ] as const)(
    'has by the catalogue what it needs, and nothing else: %s',
    async (name, functions, schema, tables) => {
      const expected = [
        'database CONNECT',
        'schema public USAGE',
        `schema ${schema} USAGE`,
        ...functions.map((signature) => `function ${signature}`),
        ...tables.map((table) => `table ${table} SELECT`),
      ];
      expect(await rightsOf(roled[name].role)).toEqual(expected.sort());
    },
  );

  it.each(ROLES)('can only connect, with a share of the connections: %s', async (name) => {
    const { rows } = await sql<Record<string, unknown>>`
      select rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
        rolconnlimit between 5 and current_setting('max_connections')::integer / 2 as bounded
      from pg_roles where rolname = ${roled[name].role}`.execute(roled.database.db);
    expect(rows).toEqual([
      {
        rolsuper: false,
        rolinherit: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolcanlogin: true,
        rolreplication: false,
        rolbypassrls: false,
        bounded: true,
      },
    ]);
  });

  it('leaves, with the others, connections for the authority', async () => {
    const { rows } = await sql<{ left: boolean }>`
      select sum(rolconnlimit) <= 0.8 * current_setting('max_connections')::integer as left
      from pg_roles where rolname in (${roled.writer.role}, ${roled.replay.role}, ${roled.reader.role})`.execute(
      roled.database.db,
    );
    expect(rows).toEqual([{ left: true }]);
  });

  const STATEMENTS = [
    "insert into authority.forgotten_person (subject) values ('alma')",
    "update authority.consent_event set pii_principal_id = 'erased-x'",
    "select authority.unnamed_words('{}', 'y')",
    'create temporary table mine (x int)',
    'create temp view mine as select 1',
    'select 1 as x into temporary mine',
    'create temp sequence mine',
    'select lo_create(0)',
    'select lo_creat(-1)',
    "select lo_from_bytea(0, 'x')",
    "select lo_import('/etc/hostname')",
    "select pg_logical_emit_message(true, 'x', 'y')",
    'create table public.mine (x int)',
    'create table mine (x int)',
    'create schema mine',
    'create role mine',
    'create extension dblink',
    'set role pg_read_all_data',
    "select pg_read_file('/etc/passwd')",
    "copy (select 1) to program 'true'",
    'set temp_file_limit = -1',
    'alter role current_user set temp_file_limit = -1',
    'alter role current_user reset temp_file_limit',
    'alter role current_user connection limit -1',
    'select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user and usename is not null',
    'select * from audit.subject_key',
    'select * from audit.pending',
    'select * from replay.proof',
    'select * from audit.migration_lock for update',
    'select * from replay.migration_lock for update',
    'update replay.bound set proofs = 0',
    'lock table audit.record',
    'lock table audit.record in row share mode',
    'select * from audit.record for share',
    'delete from audit.record_subject',
    'update audit.checkpoint set size = 0',
    'lock table replay.proof in row exclusive mode',
    "select nextval('replay.proof_place_seq')",
    "select setval('audit.record_seq', 1)",
    'select * from authority.lock for update',
    'select * from authority.channel',
    'select * from authority.change_head for update',
    "select authority.wake('change')",
    'select * from authority.audit_outbox',
    'delete from authority.audit_outbox',
    'update authority.audit_recording set is_on = false',
    "select authority.record_events('[]')",
    "select nextval('authority.audit_events_lost')",
    "insert into audit.record (transaction_id, occurred_at, outcome, content) values (gen_random_uuid(), '2001-01-01', 'answered', '{}')",
    "insert into audit.record (recorded_at) values ('2001-01-01')",
    'copy audit.record (transaction_id, occurred_at, outcome, content) from stdin',
    'alter function audit.append(jsonb) reset all',
    'create trigger mine before insert on audit.record execute function suppress_redundant_updates_trigger()',
  ];

  it.each(ROLES.flatMap((name) => STATEMENTS.map((statement) => [name, statement] as const)))(
    '%s may not: %s',
    async (name, statement) => {
      // 0A000: an extension that is not available.
      expect(['42501', '0A000']).toContain(await refusal(roled[name], statement));
    },
  );

  it.each(['writer', 'replay'] as const)('cannot read the log unless it is the reader: %s', async (name) => {
    for (const table of LOG) expect(await refusal(roled[name], `select * from ${table}`)).toBe('42501');
    expect(await refusal(roled[name], 'lock table audit.record in access share mode')).toBe('42501');
  });

  it('cannot do the other’s work', async () => {
    expect(await refusal(roled.writer, "select replay.claim('x', 1)")).toBe('42501');
    expect(await refusal(roled.replay, "select audit.append('[]')")).toBe('42501');
  });
});
