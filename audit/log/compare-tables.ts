import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { nearTime, SEARCH_COLUMNS, SUBJECTS_FROM } from '../columns.js';
import type { AuditDatabase } from '../schema.js';
import { HASH_BYTES, TILE_WIDTH } from './hashing.js';

/** A row that does not say what the log says. */
export interface TableFinding {
  readonly problem: TableProblem;
  /**
   * The record's position in the order of arrival, the place of an entry, the size of the head or the checkpoint, or the place of
   * a tile in its level.
   */
  readonly at: number;
  /** Where the record is in the log, if it is; the level of a tile. */
  readonly more: number | null;
}

export type TableProblem = RecordProblem | LogProblem;

type RecordProblem =
  /** A record that is shown, but neither in the tree nor waiting for it. */
  | 'not-logged'
  /** A record that waits for the tree, or was logged a moment ago, with the hash of another text. */
  | 'text'
  /** A column by which a record is found or shown differs from its text. */
  | 'columns'
  /** It is said to be about somebody, and does not exist. */
  | 'no-record';

type LogProblem =
  /** An entry whose place is outside of the tree. */
  | 'stray-entry'
  /** The head from which the log goes on is not that of the entries, or of the newest checkpoint. */
  | 'head'
  /** A checkpoint whose columns differ from what was signed. */
  | 'checkpoint'
  /** Hashes that are too many or too few for the tree. */
  | 'tile'
  /** An entry that waits for the tree without its record. */
  | 'no-record-waiting';

/** What {@link compareTables} is given. */
export interface CompareOptions {
  /** How many entries `verifyLog` has compared with their texts. It says nothing about those that were logged since. */
  readonly verified: number;
  /** When to stop. */
  readonly max: number;
}

/**
 * Compares what searches and histories read, and what the sequencer goes on from, with what the log holds: every record is in the
 * tree or about to be, and its columns, its time and the people whom it is about are those of its text; no entry is outside of the
 * tree; the head is that of the entries. Whether the texts in the tree are those that were logged is for `verifyLog` to say.
 *
 * Each comparison reads one state of the tables, so that records which arrive or are integrated meanwhile are no finding.
 */
export async function compareTables(
  db: Kysely<AuditDatabase>,
  options: CompareOptions,
): Promise<readonly TableFinding[]> {
  const ofLog = await compareLog(db, options.max);
  return [...ofLog, ...(await compareRecords(db, options))].slice(0, options.max);
}

/** The size of the tree, whichever row says so: one of them may have been changed. */
const TREE_SIZE = sql`greatest((select max(size) from audit.head), (select max(size) from audit.checkpoint), 0)`;

async function compareLog(db: Kysely<AuditDatabase>, max: number): Promise<readonly TableFinding[]> {
  const { rows } = await sql<TableFinding>`
    with newest as (
      select checkpoint.size, checkpoint.root from audit.checkpoint as checkpoint join audit.head using (origin)
      order by checkpoint.size desc limit 1
    )
    select 'head' as problem, head.size as at, null::bigint as more from audit.head as head left join newest on true
    where head.size <> (select count(*) from audit.leaf where log_index >= 0 and log_index < head.size)
      or head.size < newest.size or (head.size = newest.size and head.root <> newest.root)
    union all
    select 'stray-entry', log_index, null from audit.leaf where log_index < 0 or log_index >= ${TREE_SIZE}
    union all
    select 'checkpoint', size, null from (
      select size, note, concat(origin, chr(10), size, chr(10), encode(root, 'base64'), chr(10)) as signed
      from audit.checkpoint
    ) as stored where left(note, length(signed)) is distinct from signed
    union all
    select 'tile', index, level::bigint from audit.tile
    where level < 0 or index < 0 or length(hashes) = 0 or length(hashes) <> ${HASH_BYTES} * least(
      div(${TREE_SIZE}::numeric, power(${TILE_WIDTH}::numeric, level)) - index * ${TILE_WIDTH}, ${TILE_WIDTH}
    )
    union all
    select 'no-record-waiting', seq, null from audit.pending as waiting
    where not exists (
      select from audit.record as stored where stored.recorded_at = waiting.recorded_at and stored.seq = waiting.seq
    )
    limit ${max}`.execute(db);
  return rows;
}

async function compareRecords(
  db: Kysely<AuditDatabase>,
  { max, verified }: CompareOptions,
): Promise<readonly TableFinding[]> {
  const differences = Object.entries(SEARCH_COLUMNS).map(
    ([column, { from, type }]) =>
      sql`${sql.id(column)} is distinct from (${sql.raw(from)})::${sql.raw(type)}`,
  );
  const near = sql.raw(nearTime('(extract(epoch from recorded_at) * 1000)'));
  const { rows } = await sql<TableFinding>`
    with logged as (
      -- A text that is not the one of its entry may be no JSON.
      select stored.*, leaf.log_index, waiting.seq as waiting_seq,
        case when sha256(convert_to(stored.content, 'UTF8')) = coalesce(leaf.content_hash, waiting.content_hash)
          then stored.content::jsonb end as record
      from audit.record as stored
      left join audit.leaf as leaf on leaf.seq = stored.seq and leaf.recorded_at = stored.recorded_at
        and leaf.log_index >= 0 and leaf.log_index < ${TREE_SIZE}
      left join audit.pending as waiting on waiting.seq = stored.seq and waiting.recorded_at = stored.recorded_at
    ), judged as (
      select seq, log_index, case
        when log_index is null and waiting_seq is null then 'not-logged'
        when record is null then case when log_index is null or log_index >= ${verified} then 'text' end
        when class is distinct from record ->> 'class' or ${sql.join(differences, sql` or `)}
          or occurred_at is distinct from coalesce(${near}, recorded_at)
          or clock_off is distinct from case when (${near}) is null then true end
          or array(select pseudonym from audit.record_subject as known
            where known.recorded_at = logged.recorded_at and known.seq = logged.seq order by 1)
            is distinct from array(select * from (${sql.raw(SUBJECTS_FROM)}) as about (pseudonym) order by 1)
        then 'columns' end as problem
      from logged
    )
    select problem, seq as at, log_index as more from judged where problem is not null
    union all
    select distinct 'no-record', seq, null::bigint from audit.record_subject as about
    where not exists (
      select from audit.record as stored
      where stored.recorded_at = about.recorded_at and stored.seq = about.seq
    )
    limit ${max}`.execute(db);
  return rows;
}

/** What the log does not prove yet: it grows all the time, and so do these numbers when nobody integrates or signs. */
export interface Unproven {
  /** Entries of the tree that no stored checkpoint covers: none was signed since, or the newest ones are gone. */
  readonly unsigned: number;
  /** Records that wait to become entries. */
  readonly waiting: number;
  /** When the first of those was recorded. */
  readonly waitingSince: Date | null;
}

export async function countUnproven(db: Kysely<AuditDatabase>): Promise<Unproven> {
  const { rows } = await sql<Unproven>`
    select ${TREE_SIZE} - coalesce((select max(size) from audit.checkpoint), 0) as unsigned,
      count(*) as waiting, min(recorded_at) as "waitingSince"
    from audit.pending`.execute(db);
  return rows[0] ?? { unsigned: 0, waiting: 0, waitingSince: null };
}
