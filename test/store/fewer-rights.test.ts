import { randomBytes } from 'node:crypto';

import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { createWriterRole, migrateAudit } from '../../audit/postgres.js';
import { migrateAuthority } from '../../authority/internal.js';
import { createReplayRole, migrateReplay, openDatabase } from '../../store/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

// An existing PostgreSQL on which Behalf is not a superuser.
const user = `person_${randomBytes(6).toString('hex')}`;
let database: TestDatabase<unknown>;
let theirs: ReturnType<typeof openDatabase<never>>;
const made: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await sql`create role ${sql.id(user)} login password 'x'`.execute(database.db);
  const url = new URL(database.url);
  url.username = user;
  url.password = 'x';
  theirs = openDatabase<never>(url.href, { max: 2, lockTimeoutMs: 200 });
});
afterEach(async () => {
  for (const role of made.splice(0)) {
    await sql`drop owned by ${sql.id(role)}`.execute(database.db).catch(() => undefined);
    await sql`drop role if exists ${sql.id(role)}`.execute(database.db);
  }
});
afterAll(async () => {
  await theirs.destroy();
  await sql`reassign owned by ${sql.id(user)} to current_user`.execute(database.db);
  await sql`drop owned by ${sql.id(user)}`.execute(database.db);
  await sql`drop role ${sql.id(user)}`.execute(database.db);
  await database.drop();
});

function roleName(): string {
  const role = `role_${randomBytes(6).toString('hex')}`;
  made.push(role);
  return role;
}

/** One sentence for the operator. */
async function sentence(work: Promise<unknown>): Promise<{ code: unknown; message: string }> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const { code, message, name } = error as { code: unknown; message: string; name: string };
  expect(name).toBe('StoreError');
  expect(message).not.toContain('\n');
  return { code, message };
}

describe('a database user with fewer rights', () => {
  it('that may not create schemas is told which right it lacks', async () => {
    for (const migrate of [migrateAuthority, migrateAudit, migrateReplay]) {
      const { code, message } = await sentence(migrate(theirs));
      expect(code).toBe('DATABASE_RIGHTS');
      expect(message).toMatch(
        /^The database user ".+" lacks a right .+: make it the owner of the database, or of the schema "\w+"/,
      );
      expect(message).toContain(user);
    }
  });

  it('that may not read the tables of another owner is told so', async () => {
    await migrateAudit(database.db);
    expect((await sentence(migrateAudit(theirs))).code).toBe('DATABASE_RIGHTS');
    await sql`drop schema audit cascade`.execute(database.db);
  });

  it('that may not create roles is told which right it lacks', async () => {
    await sql`grant create on database ${sql.id(new URL(database.url).pathname.slice(1))} to ${sql.id(user)}`.execute(
      database.db,
    );
    await migrateAudit(theirs);
    const role = roleName();
    const { code, message } = await sentence(createWriterRole(theirs, 'password', role));
    expect(code).toBe('DATABASE_RIGHTS');
    expect(message).toMatch(/^The database user ".+" lacks a right .+: grant it CREATEROLE/);
    expect(message).toContain(role);
    expect(message).not.toContain('password');
  });

  it('that owns the database is told which rights it cannot revoke from PUBLIC', async () => {
    const name = sql.id(new URL(database.url).pathname.slice(1));
    await sql`alter database ${name} owner to ${sql.id(user)}`.execute(database.db);
    await sql`alter role ${sql.id(user)} createrole`.execute(database.db);
    await migrateReplay(theirs);
    const role = roleName();
    const left = await createReplayRole(theirs, 'x', role);
    expect(left).toEqual(['large objects', 'messages in the write-ahead log']);
    const { rows } = await sql<{ temporary: boolean }>`
      select has_database_privilege(${role}, current_database(), 'TEMPORARY') as temporary`.execute(
      database.db,
    );
    expect(rows).toEqual([{ temporary: false }]);
    // It now exists, and its rights are repaired.
    expect(await createReplayRole(theirs, 'y', role)).toEqual(left);
    await sql`alter role ${sql.id(user)} nocreaterole`.execute(database.db);
    await sql`alter database ${name} owner to current_user`.execute(database.db);
  });
});

describe('a role for gateways', () => {
  const MIGHTY: readonly (readonly [string, string])[] = [
    ['is a superuser', 'alter role @ superuser'],
    ['may make roles', 'alter role @ createrole'],
    ['may make databases', 'alter role @ createdb'],
    ['may replicate', 'alter role @ replication'],
    ['goes past row security', 'alter role @ bypassrls'],
    ['is a member of another', 'grant pg_read_all_data to @'],
  ];

  it.each(MIGHTY)('is refused if it %s', async (_how, statement) => {
    await migrateReplay(database.db);
    const role = roleName();
    await sql`create role ${sql.id(role)} login`.execute(database.db);
    await sql.raw(statement.replace('@', `"${role}"`)).execute(database.db);
    expect((await sentence(createReplayRole(database.db, 'x', role))).code).toBe('ROLE_UNUSABLE');
    await sql`alter role ${sql.id(role)} nosuperuser`.execute(database.db);
  });

  it('is refused if it is the user of this connection', async () => {
    const { rows } = await sql<{ user: string }>`select current_user as user`.execute(database.db);
    const { code } = await sentence(createReplayRole(database.db, 'x', rows[0]?.user));
    expect(code).toBe('ROLE_UNUSABLE');
  });

  it('loses all rights except its one function', async () => {
    await migrateReplay(database.db);
    const role = roleName();
    await createReplayRole(database.db, 'x', role);
    await sql`grant select, delete on replay.proof to ${sql.id(role)}`.execute(database.db);
    await sql`grant select (digest) on replay.proof to ${sql.id(role)}`.execute(database.db);
    await sql`grant create on schema replay to ${sql.id(role)}`.execute(database.db);
    await sql`alter role ${sql.id(role)} connection limit -1`.execute(database.db);
    await createReplayRole(database.db, 'x', role);
    const { rows } = await sql`
      select has_any_column_privilege(${role}, 'replay.proof', 'SELECT') as reads,
        has_table_privilege(${role}, 'replay.proof', 'DELETE') as deletes,
        has_schema_privilege(${role}, 'replay', 'CREATE') as makes,
        (select rolconnlimit > 0 from pg_roles where rolname = ${role}) as bounded`.execute(database.db);
    expect(rows).toEqual([{ reads: false, deletes: false, makes: false, bounded: true }]);
  });

  it('is created by concurrent starts on several databases', async () => {
    const other = await createTestDatabase<unknown>();
    await migrateReplay(database.db);
    await migrateReplay(other.db);
    const role = roleName();
    await Promise.all(
      [database.db, other.db, database.db, other.db].map((db) => createReplayRole(db, 'x', role)),
    );
    await sql`drop owned by ${sql.id(role)}`.execute(other.db);
    await other.drop();
  });
});
