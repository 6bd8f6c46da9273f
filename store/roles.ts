import { type Kysely, sql, type Transaction } from 'kysely';

import { StoreError } from './errors.js';
import { closeToPublic } from './public-rights.js';
import { endHeldTransactions } from './sessions.js';
import { isRace, SQLSTATE, sqlStateOf } from './sqlstate.js';

const MAX_ATTEMPTS = 10;
const MIN_CONNECTIONS = 5;
/** Nothing that a gateway's role may run sorts or joins anything. Only a superuser can set it, or take it back. */
const MAX_TEMPORARY_FILES = '64MB';

/** @see createGatewayRole */
export interface GatewayRole {
  readonly name: string;
  /** Replaces the one it had. */
  readonly password: string;
  /** Where its function is. It is granted nothing else there. */
  readonly schema: string;
  /** With the types of its parameters, as PostgreSQL names it. */
  readonly functionSignature: string;
  /** Of the server's connections, so that whoever has the role's password cannot take all of them. */
  readonly connectionsPercent: number;
}

/**
 * Makes the role, or brings it into order: one that connects, calls one function, and does nothing else. It can lock no
 * row and read no table.
 *
 * @returns What it can do all the same, since this database's user may not take it from PUBLIC; in words.
 * @throws StoreError `database_rights`, `database_busy`, `role_unusable`
 */
export async function createGatewayRole<Schema>(
  db: Kysely<Schema>,
  role: GatewayRole,
): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute((trx) => bringIntoOrder(trx, role));
    } catch (error) {
      // Roles are the server's and not the database's, so no row here could make two starts wait for each other.
      if (attempt < MAX_ATTEMPTS && isRace(error)) continue;
      // A role can keep its own entry locked, by changing its password and not committing.
      const isBlocked = sqlStateOf(error) === SQLSTATE.lockNotAvailable;
      const ended = isBlocked ? await endHeldTransactions(db, 0).catch(() => 0) : 0;
      if (attempt < MAX_ATTEMPTS && ended > 0) continue;
      throw await explain(db, role, error);
    }
  }
}

async function bringIntoOrder<Schema>(trx: Transaction<Schema>, role: GatewayRole): Promise<string[]> {
  const { connectionsPercent, functionSignature, name, password, schema } = role;
  const isThere = await refuseMighty(trx, name);
  const { rows } = await sql<{ connections: number; database: string; isSuperuser: boolean }>`
    select current_database() as database,
      greatest(current_setting('max_connections')::integer * ${connectionsPercent}::integer / 100,
      ${MIN_CONNECTIONS}::integer) as connections,
      (select rolsuper from pg_roles where rolname = current_user) as "isSuperuser"`.execute(trx);
  const { connections = MIN_CONNECTIONS, database = '', isSuperuser = false } = rows[0] ?? {};
  await sql`${isThere ? sql`alter` : sql`create`} role ${sql.id(name)} login noinherit
    connection limit ${sql.lit(connections)} password ${sql.lit(password)}`.execute(trx);
  // What the role has set for itself would outlive its password: each of its sessions could begin read-only, or not at all.
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
  await sql`grant execute on function ${sql.raw(functionSignature)} to ${sql.id(name)}`.execute(trx);
  return closeToPublic(trx, name);
}

/** A role of this name that is somebody else's stays as it is, and gateways do not get its rights. */
async function refuseMighty<Schema>(trx: Transaction<Schema>, name: string): Promise<boolean> {
  const { rows } = await sql<{ mighty: boolean; member: boolean; own: boolean }>`
    select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as mighty,
      exists (select from pg_auth_members where member = r.oid) as member,
      rolname = current_user as own
    from pg_roles r where rolname = ${name}`.execute(trx);
  const [found] = rows;
  if (found === undefined) return false;
  const why = found.own
    ? 'is the one that this database is opened with'
    : found.mighty
      ? 'may do what only an administrator should'
      : found.member
        ? 'is a member of another role'
        : undefined;
  if (why !== undefined) {
    throw new StoreError(
      'role_unusable',
      `The role "${name}" ${why}: name a role that is for gateways alone`,
    );
  }
  return true;
}

async function explain<Schema>(db: Kysely<Schema>, { name }: GatewayRole, error: unknown): Promise<unknown> {
  const state = sqlStateOf(error);
  if (state === SQLSTATE.lockNotAvailable) {
    const message = `The role "${name}" is locked by another session: end it (pg_stat_activity), and try again`;
    return new StoreError('database_busy', message, { cause: error });
  }
  if (state !== SQLSTATE.insufficientPrivilege) return error;
  const { rows } = await sql<{ user: string }>`select current_user as user`.execute(db);
  const reason = error instanceof Error ? error.message : 'unknown';
  const message = `Give the database user "${rows[0]?.user ?? ''}" CREATEROLE, and ADMIN on the role "${name}" if it is there: it lacks a right (${reason})`;
  return new StoreError('database_rights', message, { cause: error });
}
