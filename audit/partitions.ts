import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { SQLSTATE, sqlStateOf } from '@behalf/store/internal';

/** Days for which partitions exist in advance, so that a sequencer may be away for days. */
const DAYS_AHEAD = 7;
/** For a search that reads the partition for the rest. */
const LOCK_TIMEOUT = '1s';

interface Day {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly next: string;
}

/**
 * Creates the partitions of today (UTC) and of the next days. A day whose records went into the partition for the rest keeps
 * them there. While a search holds the partition for the rest, a later call creates them: nothing else waits for it.
 */
export async function createPartitions<Schema>(db: Kysely<Schema>): Promise<void> {
  if ((await missingDays(db)).length === 0) return;
  await createMissing(db).catch((error: unknown) => {
    if (sqlStateOf(error) !== SQLSTATE.lockNotAvailable) throw error;
  });
}

async function createMissing<Schema>(db: Kysely<Schema>): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`.execute(trx);
    // Attaching takes this lock as well. Whoever waited for it finds nothing missing.
    await sql`lock table audit.record in share update exclusive mode`.execute(trx);
    for (const day of await missingDays(trx)) await createPartition(trx, day);
  });
}

async function missingDays<Schema>(db: Kysely<Schema>): Promise<readonly Day[]> {
  const { rows } = await sql<Day>`
    select to_char(day, 'YYYY-MM-DD') as day, to_char(day + interval '1 day', 'YYYY-MM-DD') as next
    from generate_series(0, ${DAYS_AHEAD}::integer) as ahead,
      lateral (select date_trunc('day', clock_timestamp() at time zone 'UTC') + make_interval(days => ahead) as day) as days
    where to_regclass('audit.record_' || to_char(day, 'YYYYMMDD')) is null
      and not exists (
        select from audit.record_other
        where recorded_at >= day at time zone 'UTC' and recorded_at < (day + interval '1 day') at time zone 'UTC'
      )`.execute(db);
  return rows;
}

/** Attached, because creating it as a partition would wait for every search, and every append would wait for it. */
async function createPartition<Schema>(trx: Kysely<Schema>, { day, next }: Day): Promise<void> {
  const table = sql.table(`audit.record_${day.replaceAll('-', '')}`);
  await sql`create table ${table} (like audit.record including defaults including constraints)`.execute(trx);
  await sql`alter table audit.record attach partition ${table}
    for values from (${sql.lit(`${day} 00:00:00+00`)}) to (${sql.lit(`${next} 00:00:00+00`)})`.execute(trx);
}
