import { type Kysely, sql, type Transaction } from 'kysely';

import { StoreError } from './errors.js';
import { closeToPublic } from './public-rights.js';
import { endHeldTransactions } from './sessions.js';
import { isRace, SQLSTATE, sqlStateOf } from './sqlstate.js';

const MAX_ATTEMPTS = 10;
const MIN_CONNECTIONS = 5;
/** No query of these roles sorts or joins much. Only a superuser can set or reset this limit. */
const MAX_TEMPORARY_FILES = '64MB';

/** @see createGatewayRole */
export interface GatewayRole {
  readonly name: string;
  /** Replaces the previous one. */
  readonly password: string;
  /** The schema of its functions and tables. The role is granted nothing else there. */
  readonly schema: string;
  /** With parameter types, as PostgreSQL writes them. */
  readonly functionSignatures: readonly string[];
  /** Tables that it may read, with their schema. Default: none. */
  readonly readableTables?: readonly string[];
  /** Its share of the server's connections, so that a stolen password cannot be used to take all of them. */
  readonly connectionsPercent: number;
}

/**
 * Creates the role, or resets it: it may connect, call its functions and read its tables, and nothing else. It cannot lock rows.
 *
 * @returns descriptions of the rights that the role still has, because this database user may not revoke them from PUBLIC
 * @throws StoreError `SCHEMA_MISSING`, `DATABASE_RIGHTS`, `DATABASE_BUSY`, `ROLE_UNUSABLE`
 */
export async function createGatewayRole<Schema>(
  db: Kysely<Schema>,
  role: GatewayRole,
): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute((trx) => createOrReset(trx, role));
    } catch (error) {
      // Roles belong to the server, not the database, so no row here can serialize two starts.
      if (attempt < MAX_ATTEMPTS && isRace(error)) continue;
      // A role can lock its own entry by changing its password without committing.
      const isBlocked = sqlStateOf(error) === SQLSTATE.lockNotAvailable;
      const ended = isBlocked ? await endHeldTransactions(db, 0).catch(() => 0) : 0;
      if (attempt < MAX_ATTEMPTS && ended > 0) continue;
      throw await explain(db, role, error);
    }
  }
}

async function createOrReset<Schema>(trx: Transaction<Schema>, role: GatewayRole): Promise<string[]> {
  const { connectionsPercent, functionSignatures, name, password, readableTables = [], schema } = role;
  const isThere = await refusePrivilegedRole(trx, name);
  const { rows } = await sql<{ connections: number; database: string; isSuperuser: boolean }>`
    select current_database() as database,
      greatest(current_setting('max_connections')::integer * ${connectionsPercent}::integer / 100,
      ${MIN_CONNECTIONS}::integer) as connections,
      (select rolsuper from pg_roles where rolname = current_user) as "isSuperuser"`.execute(trx);
  const { connections = MIN_CONNECTIONS, database = '', isSuperuser = false } = rows[0] ?? {};
  await sql`${isThere ? sql`alter` : sql`create`} role ${sql.id(name)} login noinherit
    connection limit ${sql.lit(connections)} password ${sql.lit(password)}`.execute(trx);
  // The role's own settings would outlive its password: they could make every session read-only, or fail.
  await sql`alter role ${sql.id(name)} reset all`.execute(trx);
  await sql`alter role ${sql.id(name)} in database ${sql.id(database)} reset all`.execute(trx);
  if (isSuperuser) {
    await sql`alter role ${sql.id(name)} set temp_file_limit = ${sql.lit(MAX_TEMPORARY_FILES)}`.execute(trx);
  }
  for (const kind of ['tables', 'sequences', 'functions']) {
    await sql`revoke all on all ${sql.raw(kind)} in schema ${sql.id(schema)}
      from public, ${sql.id(name)}`.execute(trx);
  }
  await sql`revoke all on schema ${sql.id(schema)} from public, ${sql.id(name)}`.execute(trx);
  await sql`grant usage on schema ${sql.id(schema)} to ${sql.id(name)}`.execute(trx);
  for (const signature of functionSignatures)
    await sql`grant execute on function ${sql.raw(signature)} to ${sql.id(name)}`.execute(trx);
  for (const table of readableTables)
    await sql`grant select on ${sql.table(table)} to ${sql.id(name)}`.execute(trx);
  return closeToPublic(trx, name);
}

/** Refuses a role of this name that serves another purpose, so that gateways do not get its rights. */
async function refusePrivilegedRole<Schema>(trx: Transaction<Schema>, name: string): Promise<boolean> {
  const { rows } = await sql<{ privileged: boolean; member: boolean; own: boolean }>`
    select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as privileged,
      exists (select from pg_auth_members where member = r.oid) as member,
      rolname = current_user as own
    from pg_roles r where rolname = ${name}`.execute(trx);
  const [found] = rows;
  if (found === undefined) return false;
  const why = found.own
    ? 'is the user of this database connection'
    : found.privileged
      ? 'has administrative rights'
      : found.member
        ? 'is a member of another role'
        : undefined;
  if (why !== undefined) {
    throw new StoreError('ROLE_UNUSABLE', `The role "${name}" ${why}: choose a role that only gateways use`);
  }
  return true;
}

async function explain<Schema>(
  db: Kysely<Schema>,
  { name, schema }: GatewayRole,
  error: unknown,
): Promise<unknown> {
  const state = sqlStateOf(error);
  if (isMissing(state)) {
    const message = `The schema "${schema}" is missing in this database, or is that of another version: migrate it before creating the role "${name}"`;
    return new StoreError('SCHEMA_MISSING', message, { cause: error });
  }
  if (state === SQLSTATE.lockNotAvailable) {
    const message = `The role "${name}" is locked by another session: end it (pg_stat_activity), and try again`;
    return new StoreError('DATABASE_BUSY', message, { cause: error });
  }
  if (state !== SQLSTATE.insufficientPrivilege) return error;
  const { rows } = await sql<{ user: string }>`select current_user as user`.execute(db);
  const reason = error instanceof Error ? error.message : 'unknown';
  const message = `The database user "${rows[0]?.user ?? ''}" lacks a right (${reason}): grant it CREATEROLE, and ADMIN on the role "${name}" if that exists`;
  return new StoreError('DATABASE_RIGHTS', message, { cause: error });
}

function isMissing(state: string | undefined): boolean {
  return (
    state === SQLSTATE.undefinedSchema ||
    state === SQLSTATE.undefinedFunction ||
    state === SQLSTATE.undefinedTable
  );
}
