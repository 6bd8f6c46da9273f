import { type Kysely, sql } from 'kysely';

/** The clock of one test database, which its tests set. */
export interface DatabaseClock {
  /** Sets it this many seconds ahead of this machine's; negative: behind. */
  set(aheadSeconds: number): Promise<void>;
}

/**
 * Gives a database its own clock: every connection opened from now on finds `clock_timestamp()` in a schema that precedes
 * PostgreSQL's.
 */
export async function injectDatabaseClock<Schema>(db: Kysely<Schema>): Promise<DatabaseClock> {
  await sql`create schema test_clock`.execute(db);
  await sql`create table test_clock.setting (ahead_seconds double precision not null)`.execute(db);
  await sql`insert into test_clock.setting values (0)`.execute(db);
  await sql`create function test_clock.clock_timestamp() returns timestamptz language sql volatile as $$
    select pg_catalog.clock_timestamp() + ahead_seconds * interval '1 second' from test_clock.setting $$`.execute(
    db,
  );
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  await sql`alter database ${sql.id(rows[0]?.name ?? '')} set search_path to test_clock, pg_catalog, public`.execute(
    db,
  );
  return {
    async set(aheadSeconds) {
      await sql`update test_clock.setting set ahead_seconds = ${aheadSeconds}`.execute(db);
    },
  };
}
