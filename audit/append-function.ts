import { type Kysely, sql } from 'kysely';
import {
  MAX_RECORD_BYTES,
  MAX_RECORDS_PER_CALL,
  nearTime,
  SEARCH_COLUMNS,
  SUBJECTS_FROM,
} from './columns.js';

/** Refuses what is no list of texts, or too much. */
const REFUSE_UNREADABLE = sql`
  if records is null or jsonb_typeof(records) <> 'array'
    or jsonb_array_length(records) > ${sql.lit(MAX_RECORDS_PER_CALL)} then
    raise exception using errcode = '22023', message = 'records must be a list of at most ${sql.raw(String(MAX_RECORDS_PER_CALL))} records';
  end if;
  if exists (select from jsonb_array_elements(records) as list (item) where jsonb_typeof(item) <> 'string') then
    raise exception using errcode = '22023', message = 'each record must be the text of a JSON object';
  end if;
  if exists (select from jsonb_array_elements_text(records) as list (text)
    where octet_length(text) > ${sql.lit(MAX_RECORD_BYTES)}) then
    raise exception using errcode = '22001', message = 'a record is too large';
  end if;`;

/**
 * Creates `audit.append`, the only way to write to the log. It runs as the table's owner. Its caller passes the texts of records
 * and sees neither rows nor positions: it learns the time at which they were stored, and the head of the log, by which it notices
 * that records disappear. The database sets the time of recording, and refuses what no gateway would write.
 *
 * Its error codes are of classes 22 and 23, which the sink treats as a fault of the record, not of the database.
 */
export async function createAppend(db: Kysely<never>): Promise<void> {
  const columns = sql.raw(Object.keys(SEARCH_COLUMNS).join(', '));
  const values = sql.raw(
    Object.values(SEARCH_COLUMNS)
      .map(({ type, from }) => `(${from})::${type}`)
      .join(',\n            '),
  );
  await sql`
    create or replace function append(
      records jsonb,
      out recorded_ms bigint, out log_origin text, out log_size bigint, out log_root bytea, out is_whole boolean
    )
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
    set lock_timeout = '1s'
    as $$
    declare
      present timestamptz := date_trunc('milliseconds', clock_timestamp());
      present_ms double precision := extract(epoch from present) * 1000;
    begin
      ${REFUSE_UNREADABLE}
      if jsonb_array_length(records) > 0 then
        with parsed as materialized (
          select nextval('audit.record_seq') as seq, text, text::jsonb as record
          from jsonb_array_elements_text(records) as list (text)
        ), timed as materialized (
          select parsed.*, ${sql.raw(nearTime('present_ms'))} as near_time
          from parsed
        ), stored as (
          insert into audit.record (recorded_at, seq, class, content, occurred_at, clock_off, ${columns})
          select present, seq, record ->> 'class', text, coalesce(near_time, present),
            case when near_time is null then true end,
            ${values}
          from timed
        ), found as (
          insert into audit.record_subject (pseudonym, recorded_at, seq)
          select about.pseudonym, present, seq
          from timed cross join lateral (${sql.raw(SUBJECTS_FROM)}) as about (pseudonym)
        )
        insert into audit.pending (seq, recorded_at, class, content_hash)
        select seq, present, record ->> 'class', sha256(convert_to(text, 'UTF8')) from timed;
      end if;
      select present_ms::bigint, head.origin, head.size, head.root, audit.is_whole(head.size)
      into recorded_ms, log_origin, log_size, log_root, is_whole
      from audit.head as head;
      recorded_ms := present_ms::bigint;
    end
    $$`.execute(db);
  await sql`revoke all on function append(jsonb) from public`.execute(db);
}

/** Only a record this young is looked for: a log without traffic must not stop service when old records are given up. */
const KEPT = '1 day';

/**
 * Creates `audit.is_whole`: whether the newest entry of the log is there, its record, whom that is about, and hashes of the tree. It
 * looks at the 4th, 16th, 64th … newest entry as well: when tables are emptied, what is appended next would hide it otherwise. It is
 * asked with each append, so it reads these few rows; `behalf audit verify` reads them all.
 */
export async function createIsWhole(db: Kysely<never>): Promise<void> {
  await sql`
    create or replace function is_whole(head_size bigint) returns boolean
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
    as $$
    begin
      return coalesce((select max(log_index) from audit.leaf), -1) = head_size - 1
        and (head_size = 0 or exists (select from audit.tile))
        and not exists (
          select from (
            select head_size - (1::bigint << (2 * power)) as log_index from generate_series(0, 12) as powers (power)
          ) as place
          left join audit.leaf as leaf using (log_index)
          where place.log_index >= 0 and (leaf.seq is null
            or leaf.recorded_at > clock_timestamp() - ${sql.lit(KEPT)}::interval
            and not exists (
              select from audit.record as record
              where record.recorded_at = leaf.recorded_at and record.seq = leaf.seq
                and (record.subject_pseudonym is null and position('"subjects":["' in record.content) = 0 or exists (
                  select from audit.record_subject as about
                  where about.recorded_at = record.recorded_at and about.seq = record.seq
                    and about.pseudonym = coalesce(record.subject_pseudonym, about.pseudonym)
                ))
            ))
        );
    end
    $$`.execute(db);
  await sql`revoke all on function is_whole(bigint) from public`.execute(db);
}
