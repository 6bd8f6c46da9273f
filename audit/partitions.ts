import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/** Days for which partitions exist in advance, so that a sequencer may be away for days. */
const DAYS_AHEAD = 7;

/**
 * Creates the partitions of today (UTC) and of the next days. A day whose records went into the partition for the rest keeps
 * them there.
 */
export async function createPartitions<Schema>(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ day: string; next: string }>`
    select to_char(day, 'YYYY-MM-DD') as day, to_char(day + interval '1 day', 'YYYY-MM-DD') as next
    from generate_series(0, ${DAYS_AHEAD}::integer) as ahead,
      lateral (select date_trunc('day', clock_timestamp() at time zone 'UTC') + make_interval(days => ahead) as day) as days
    where to_regclass('audit.record_' || to_char(day, 'YYYYMMDD')) is null
      and not exists (
        select from audit.record_other
        where recorded_at >= day at time zone 'UTC' and recorded_at < (day + interval '1 day') at time zone 'UTC'
      )`.execute(db);
  for (const { day, next } of rows) {
    await sql`create table if not exists ${sql.table(`audit.record_${day.replaceAll('-', '')}`)}
      partition of audit.record for values from (${sql.lit(`${day} 00:00:00+00`)}) to (${sql.lit(`${next} 00:00:00+00`)})`.execute(
      db,
    );
  }
}
