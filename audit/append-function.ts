import { type Kysely, sql } from 'kysely';
import {
  APPENDED_COLUMNS,
  MAX_EARLY_SECONDS,
  MAX_LATE_SECONDS,
  MAX_RECORD_BYTES,
  MAX_RECORDS_PER_CALL,
} from './columns.js';

/**
 * Creates `audit.append`, the only way to write to the log. It runs as the table's owner; its caller sees neither rows, positions
 * nor results. The database sets the time of recording, and refuses what no gateway would write. The function ignores columns
 * that it does not know, so a migration that adds a column must create the function again.
 *
 * Its error codes are of class 22, which the sink treats as a fault of the record, not of the database.
 */
export async function createAppend(db: Kysely<never>): Promise<void> {
  const names = Object.keys(APPENDED_COLUMNS);
  const columns = sql.join(names.map((name) => sql.id(name)));
  const types = sql.join(
    Object.entries(APPENDED_COLUMNS).map(([name, type]) => sql`${sql.id(name)} ${sql.raw(type)}`),
  );
  await sql`
    create or replace function append(records jsonb) returns void
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
    set lock_timeout = '1s'
    as $$
    declare
      present timestamptz := clock_timestamp();
      present_ms double precision := extract(epoch from present) * 1000;
    begin
      if records is null or jsonb_typeof(records) <> 'array'
        or jsonb_array_length(records) > ${sql.lit(MAX_RECORDS_PER_CALL)} then
        raise exception using errcode = '22023', message = 'records must be a list of at most ${sql.raw(String(MAX_RECORDS_PER_CALL))} records';
      end if;
      if exists (select from jsonb_array_elements(records) as each (record)
        where octet_length(each.record::text) > ${sql.lit(MAX_RECORD_BYTES)}) then
        raise exception using errcode = '22001', message = 'a record is too large';
      end if;
      insert into audit.record (occurred_at, recorded_at, clock_off, ${columns})
      select
        case when is_near then to_timestamp(time / 1000) else present end, present,
        case when is_near then null else true end, ${columns}
      from (
        select r.*, coalesce(r.time between present_ms - ${sql.lit(MAX_LATE_SECONDS * 1000)}
          and present_ms + ${sql.lit(MAX_EARLY_SECONDS * 1000)}, false) as is_near
        from jsonb_to_recordset(records) as r (time double precision, ${types})
      ) as record;
    end
    $$`.execute(db);
  await sql`revoke all on function append(jsonb) from public`.execute(db);
}
