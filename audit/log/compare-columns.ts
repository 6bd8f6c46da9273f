import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { SEARCH_COLUMNS, SUBJECTS_FROM } from '../columns.js';
import type { AuditDatabase } from '../schema.js';

/**
 * Finds records that searches would no longer find: those of which a column, or whom they are about, was changed, though the text,
 * which the log proves, was not.
 *
 * @param max when to stop
 * @returns the positions of those records in the order of arrival
 */
export async function changedColumns(db: Kysely<AuditDatabase>, max: number): Promise<readonly number[]> {
  const differences = Object.entries(SEARCH_COLUMNS).map(
    ([column, { from, type }]) =>
      sql`${sql.id(column)} is distinct from (${sql.raw(from)})::${sql.raw(type)}`,
  );
  const { rows } = await sql<{ seq: number }>`
    select seq from (select content::jsonb as record, stored.* from audit.record as stored) as stored
    where class is distinct from record ->> 'class' or ${sql.join(differences, sql` or `)}
      or array(select pseudonym from audit.record_subject as known
        where known.recorded_at = stored.recorded_at and known.seq = stored.seq order by 1)
        is distinct from array(select * from (${sql.raw(SUBJECTS_FROM)}) as about (pseudonym) order by 1)
    limit ${max}`.execute(db);
  return rows.map(({ seq }) => seq);
}
