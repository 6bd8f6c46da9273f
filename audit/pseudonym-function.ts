import { type Kysely, sql } from 'kysely';
import { MAX_RECORDS_PER_CALL } from './columns.js';

/** PostgreSQL's base64 with the alphabet for URLs, without padding. */
const base64url = (bytes: string): string => `translate(encode(${bytes}, 'base64'), '+/=', '-_')`;

/**
 * Creates the keys of subjects, and `audit.pseudonyms`, the only way to use them. It runs as the tables' owner: its caller learns
 * the pseudonyms of subjects that it names, and neither keys nor other subjects. A subject gets a random key when it is first
 * named. Who destroys the key destroys the way from the person to their records; see `eraseSubject`.
 *
 * A key is used for one name only, so hashing it before the name's hash, both of a fixed length, is as good as HMAC, which
 * PostgreSQL does not have.
 */
export async function createPseudonyms(db: Kysely<never>): Promise<void> {
  await sql`
    create table subject_key (
      -- SHA-256 of the name.
      subject_hash bytea primary key,
      key bytea not null check (octet_length(key) = 32)
    )`.execute(db);
  await sql`
    create or replace function pseudonyms(subjects text[])
    returns table (subject text, pseudonym text)
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
    set lock_timeout = '1s'
    as $$
    #variable_conflict use_column
    begin
      if subjects is null or cardinality(subjects) > ${sql.lit(MAX_RECORDS_PER_CALL)} then
        raise exception using errcode = '22023', message = 'subjects must be a list of at most ${sql.raw(String(MAX_RECORDS_PER_CALL))} names';
      end if;
      -- In one order, so that two callers never wait for each other.
      insert into audit.subject_key (subject_hash, key)
      select hash, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
      from (
        select distinct sha256(convert_to(name, 'UTF8')) as hash from unnest(subjects) as list (name)
        where name is not null
      ) as named
      where not exists (select from audit.subject_key as known where known.subject_hash = named.hash)
      order by hash
      on conflict (subject_hash) do nothing;
      return query
      select name, ${sql.raw(base64url('sha256(known.key || known.subject_hash)'))}
      from (select distinct name from unnest(subjects) as list (name)) as named
      join audit.subject_key as known on known.subject_hash = sha256(convert_to(name, 'UTF8'));
    end
    $$`.execute(db);
  await sql`revoke all on function pseudonyms(text[]) from public`.execute(db);
  // Nobody gets a key by being looked for.
  await sql`
    create or replace function known_pseudonym(subject text) returns text
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
      select ${sql.raw(base64url('sha256(known.key || known.subject_hash)'))} from audit.subject_key as known
      where known.subject_hash = sha256(convert_to(subject, 'UTF8'))
    $$`.execute(db);
  await sql`revoke all on function known_pseudonym(text) from public`.execute(db);
}
