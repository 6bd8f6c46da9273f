import { type Kysely, type Migration, sql, type Transaction } from 'kysely';

import { StoreError } from './errors.js';
import { endHeldTransactions } from './sessions.js';
import { isRace, SQLSTATE, sqlStateOf } from './sqlstate.js';

const PART_NAME = /^[a-z][a-z_]{0,30}$/;
const MAX_ATTEMPTS = 6;
/** Another process may be running migrations. */
const WAIT_FOR_OTHERS = '120s';
const WAIT_FOR_TABLES = '10s';
const MAX_STATEMENT = '30min';

/** @see migrate */
export interface MigrateOptions {
  /** The PostgreSQL schema that holds this part's tables and the list of its migrations. */
  readonly part: string;
  /** Migrations by name. Each runs once, in the order of the names. */
  readonly migrations: Record<string, Migration>;
}

/**
 * Migrates one part's tables to the newest version, in one transaction. Several processes may call it at the same time: they wait
 * for a row that only the owner can lock. An advisory lock, as kysely's migrator takes, could be held by any role that can
 * connect.
 *
 * Within a migration, the search path is the part's schema.
 *
 * @returns the names of the migrations that this call ran
 * @throws StoreError `MIGRATION_FAILED`, `DATABASE_RIGHTS`, `DATABASE_BUSY`; a failed call changes nothing
 */
export async function migrate<Schema>(
  db: Kysely<Schema>,
  { part, migrations }: MigrateOptions,
): Promise<string[]> {
  if (!PART_NAME.test(part)) throw new TypeError(`Not a name for a part of the store: ${part}`);
  for (let attempt = 1; ; attempt++) {
    const run = new MigrationRun(part, migrations);
    try {
      return await db.transaction().execute((trx) => run.execute(trx));
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS) throw run.explain(error);
      if (run.isPreparing && isRace(error)) continue;
      // A gateway's role must not block an upgrade by holding an audit table in an open transaction.
      const isBlocked = sqlStateOf(error) === SQLSTATE.lockNotAvailable;
      if (isBlocked && (await endHeldTransactions(db, 0).catch(() => 0)) > 0) continue;
      throw run.explain(error);
    }
  }
}

/** One attempt, which takes effect completely or not at all. */
class MigrationRun {
  /** Whether it is still creating the list of migrations, which another process may create at the same time. */
  isPreparing = true;
  #current: string | undefined;
  #user = 'The user of the database URL';

  readonly #part: string;
  readonly #migrations: Record<string, Migration>;

  constructor(part: string, migrations: Record<string, Migration>) {
    this.#part = part;
    this.#migrations = migrations;
  }

  async execute<Schema>(trx: Transaction<Schema>): Promise<string[]> {
    const { rows } = await sql<{ user: string }>`select current_user as user,
      set_config('statement_timeout', ${MAX_STATEMENT}, true),
      set_config('lock_timeout', ${WAIT_FOR_OTHERS}, true)`.execute(trx);
    this.#user = `The database user "${rows[0]?.user ?? ''}"`;
    await this.#prepare(trx);
    this.isPreparing = false;
    await sql`select set_config('lock_timeout', ${WAIT_FOR_TABLES}, true)`.execute(trx);
    const missing = await this.#missing(trx);
    for (const name of missing) {
      this.#current = name;
      await this.#migrations[name]?.up(trx);
      await sql`insert into migration (name) values (${name})`.execute(trx);
    }
    this.#current = undefined;
    return missing;
  }

  explain(error: unknown): unknown {
    if (error instanceof StoreError) return error;
    const state = sqlStateOf(error);
    const reason = error instanceof Error ? error.message : 'unknown';
    const which =
      this.#current === undefined
        ? `migrations of ${this.#part}`
        : `migration ${this.#part}/${this.#current}`;
    if (state === SQLSTATE.insufficientPrivilege) {
      const message = `${this.#user} lacks a right (${reason}): make it the owner of the database, or of the schema "${this.#part}"`;
      return new StoreError('DATABASE_RIGHTS', message, { cause: error });
    }
    if (state === SQLSTATE.lockNotAvailable) {
      const message = `The ${which} could not get a lock in time: end the sessions that hold it (pg_stat_activity), and start again`;
      return new StoreError('DATABASE_BUSY', message, { cause: error });
    }
    return new StoreError('MIGRATION_FAILED', `The ${which} failed: ${reason}`, { cause: error });
  }

  /** Creates the schema and the list, and waits for other processes that migrate the same part. */
  async #prepare<Schema>(trx: Transaction<Schema>): Promise<void> {
    const schema = sql.id(this.#part);
    const found = await sql`select from pg_namespace where nspname = ${this.#part}`.execute(trx);
    if (found.rows.length === 0) await sql`create schema ${schema}`.execute(trx);
    await sql`set local search_path to ${schema}`.execute(trx);
    const { rows } = await sql<{
      exists: boolean;
    }>`select to_regclass(${`${this.#part}.migration`}) is not null
      as exists`.execute(trx);
    if (rows[0]?.exists !== true) {
      await sql`create table migration (
        name text primary key,
        ran_at timestamptz not null default clock_timestamp())`.execute(trx);
      await sql`create table migration_lock (single boolean primary key default true check (single))`.execute(
        trx,
      );
      await sql`insert into migration_lock default values`.execute(trx);
    }
    const { rows: locked } = await sql`select from migration_lock for update`.execute(trx);
    if (locked.length !== 1) {
      throw new StoreError('MIGRATION_FAILED', `The table ${this.#part}.migration_lock lacks its row`);
    }
  }

  async #missing<Schema>(trx: Transaction<Schema>): Promise<string[]> {
    const { rows } = await sql<{ name: string }>`select name from migration`.execute(trx);
    const done = new Set(rows.map(({ name }) => name));
    const unknown = [...done].filter((name) => !Object.hasOwn(this.#migrations, name));
    if (unknown.length > 0) {
      const message = `The tables of ${this.#part} were created by another version of Behalf (${unknown.sort().join(', ')})`;
      throw new StoreError('MIGRATION_FAILED', message);
    }
    return Object.keys(this.#migrations)
      .sort()
      .filter((name) => !done.has(name));
  }
}
