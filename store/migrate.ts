import { type Kysely, type Migration, Migrator, sql } from 'kysely';

import { StoreError } from './errors.js';

// Any number does, as long as all instances take the same one.
const MIGRATION_LOCK = 4_218_113_907;
const PART_NAME = /^[a-z][a-z_]{0,30}$/;

/** @see migrate */
export interface MigrateOptions {
  /** Names the PostgreSQL schema that holds this part's tables and the list of its migrations. */
  readonly part: string;
  /** By name; run in the order of the names, each once. */
  readonly migrations: Record<string, Migration>;
}

/**
 * Brings one part's tables to the newest version. Several processes may call it at once: they wait for each other
 * on an advisory lock (kysely's own lock is taken only after it created the schema, which races).
 * Inside a migration the search path is the part's schema, so that its statements need not name it.
 *
 * @returns the names of the migrations that this call ran
 * @throws StoreError `migration_failed`: nothing of the failed call is kept
 */
export async function migrate<Schema>(
  db: Kysely<Schema>,
  { part, migrations }: MigrateOptions,
): Promise<string[]> {
  if (!PART_NAME.test(part)) throw new TypeError(`Not a name for a part of the store: ${part}`);
  return db.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(${sql.lit(MIGRATION_LOCK)})`.execute(connection);
    try {
      await sql`create schema if not exists ${sql.id(part)}`.execute(connection);
      await sql`set search_path to ${sql.id(part)}`.execute(connection);
      return await run(connection, part, migrations);
    } finally {
      await sql`reset search_path`.execute(connection);
      await sql`select pg_advisory_unlock(${sql.lit(MIGRATION_LOCK)})`.execute(connection);
    }
  });
}

async function run<Schema>(
  db: Kysely<Schema>,
  part: string,
  migrations: Record<string, Migration>,
): Promise<string[]> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableSchema: part,
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results.find((result) => result.status === 'Error')?.migrationName;
    const reason = error instanceof Error ? error.message : 'unknown';
    const which = failed === undefined ? `migrations of ${part}` : `migration ${part}/${failed}`;
    throw new StoreError('migration_failed', `The ${which} failed: ${reason}`, { cause: error });
  }
  return results.map((result) => result.migrationName);
}
