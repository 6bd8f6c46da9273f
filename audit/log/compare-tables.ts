import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { nearTime, SEARCH_COLUMNS, SUBJECTS_FROM } from '../columns.js';
import type { AuditDatabase } from '../schema.js';

/** A row beside the log that does not say what the log says. */
export interface TableFinding {
  /** The record's position in the order of arrival. */
  readonly seq: number;
  readonly problem: TableProblem;
}

export type TableProblem =
  /** A record that is shown, but neither in the tree nor waiting for it. */
  | 'not-logged'
  /** A record that waits for the tree with the hash of another text. */
  | 'text'
  /** A column by which a record is found or shown differs from its text. */
  | 'columns'
  /** It is said to be about somebody, and does not exist. */
  | 'no-record';

/**
 * Compares what searches and histories read with what the log holds: every record is in the tree or about to be, and its columns,
 * its time and the people whom it is about are those of its text. Whether the texts in the tree are those that were logged is for
 * `verifyLog` to say.
 *
 * It reads one state of the tables, so that records which arrive or are integrated meanwhile are no finding.
 *
 * @param max when to stop
 */
export async function compareTables(
  db: Kysely<AuditDatabase>,
  max: number,
): Promise<readonly TableFinding[]> {
  const differences = Object.entries(SEARCH_COLUMNS).map(
    ([column, { from, type }]) =>
      sql`${sql.id(column)} is distinct from (${sql.raw(from)})::${sql.raw(type)}`,
  );
  const near = sql.raw(nearTime('(extract(epoch from recorded_at) * 1000)'));
  const { rows } = await sql<TableFinding>`
    with logged as (
      -- A text that is not the one of its entry may be no JSON.
      select stored.*, leaf.seq as leaf_seq, waiting.seq as waiting_seq,
        case when sha256(convert_to(stored.content, 'UTF8')) = coalesce(leaf.content_hash, waiting.content_hash)
          then stored.content::jsonb end as record
      from audit.record as stored
      left join audit.leaf as leaf on leaf.seq = stored.seq and leaf.recorded_at = stored.recorded_at
      left join audit.pending as waiting on waiting.seq = stored.seq and waiting.recorded_at = stored.recorded_at
    ), judged as (
      select seq, case
        when leaf_seq is null and waiting_seq is null then 'not-logged'
        when record is null then case when leaf_seq is null then 'text' end
        when class is distinct from record ->> 'class' or ${sql.join(differences, sql` or `)}
          or occurred_at is distinct from coalesce(${near}, recorded_at)
          or clock_off is distinct from case when (${near}) is null then true end
          or array(select pseudonym from audit.record_subject as known
            where known.recorded_at = logged.recorded_at and known.seq = logged.seq order by 1)
            is distinct from array(select * from (${sql.raw(SUBJECTS_FROM)}) as about (pseudonym) order by 1)
        then 'columns' end as problem
      from logged
    )
    select seq, problem from judged where problem is not null
    union all
    select distinct seq, 'no-record' from audit.record_subject as about
    where not exists (
      select from audit.record as stored
      where stored.recorded_at = about.recorded_at and stored.seq = about.seq
    )
    limit ${max}`.execute(db);
  return rows;
}
