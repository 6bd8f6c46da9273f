import { sql } from 'kysely';
import type { Kysely, Migration } from 'kysely';
import { createAppend, createIsWhole } from './append-function.js';
import { OUTCOMES, OWNERS_EVENTS } from './columns.js';
import { createPseudonyms } from './pseudonym-function.js';
import { recordClasses } from './record-class.js';

/** The migrations of the audit log, in the PostgreSQL schema `audit`. */
export const auditMigrations: Record<string, Migration> = {
  '001-log': {
    async up(db: Kysely<never>) {
      await createRecords(db);
      await createLog(db);
      await createPseudonyms(db);
      await createIsWhole(db);
      await createAppend(db);
    },
  },
};

/** The records, one partition for each day (UTC), and the columns by which they are found. */
async function createRecords(db: Kysely<never>): Promise<void> {
  const outcomes = sql.join(Object.keys(OUTCOMES).map((outcome) => sql.lit(outcome)));
  const ownersEvents = sql.join(OWNERS_EVENTS.map((event) => sql.lit(event)));
  const classes = sql.join(recordClasses.map((name) => sql.lit(name)));
  await sql`create sequence record_seq`.execute(db);
  await sql`
    create table record (
      recorded_at timestamptz not null,
      seq bigint not null,
      -- Another one would be in no retention.
      class text not null check (class in (${classes})),
      -- Exactly as it was hashed. An export has one record on each line.
      content text not null check (position(chr(10) in content) = 0),
      -- By the gateway's clock, or recorded_at if that was too far off.
      occurred_at timestamptz not null,
      clock_off boolean,
      transaction_id uuid not null,
      -- A record is of a request, with an outcome, or of an event.
      outcome text constraint record_outcome check (outcome in (${outcomes})),
      event text constraint record_event check (event ~ '^[a-z]{1,20}(-[a-z]{1,20}){0,4}$'),
      subject_pseudonym text,
      client_id text,
      actor text,
      coordinates text[] not null,
      primary key (recorded_at, seq),
      constraint record_kind check ((outcome is null) <> (event is null)),
      -- A stolen writer's role must not be able to say that records were erased. The function that inserts runs as the owner.
      constraint record_owner check (
        event is null or event not in (${ownersEvents}) or pg_has_role(session_user, current_user, 'MEMBER')
      )
    ) partition by range (recorded_at)`.execute(db);
  // Takes what no partition of a day takes, so that a record is never refused for lack of one.
  await sql`create table record_other partition of record default`.execute(db);
  await createSearchIndexes(db);
  // Whom a record is about: the person whom its caller acts for, and those whose rows were read. Not partitioned, so that a
  // person's history is one range of one index.
  await sql`
    create table record_subject (
      pseudonym text not null,
      recorded_at timestamptz not null,
      seq bigint not null,
      primary key (pseudonym, recorded_at, seq)
    )`.execute(db);
  await sql`create index on record_subject (recorded_at, seq)`.execute(db);
}

/**
 * For searches, in the log's order. Nearly every record is of an answered access, so what is rare has an index of its own, which
 * costs nothing for the others.
 */
async function createSearchIndexes(db: Kysely<never>): Promise<void> {
  await sql`create index on record (transaction_id)`.execute(db);
  await sql`create index on record (client_id, recorded_at, seq)`.execute(db);
  await sql`create index on record (actor, recorded_at, seq) where actor is not null`.execute(db);
  await sql`create index on record (outcome, recorded_at, seq) where outcome <> 'answered'`.execute(db);
  await sql`create index on record (client_id, outcome, recorded_at, seq) where outcome <> 'answered'`.execute(
    db,
  );
  await sql`create index on record (event, recorded_at, seq) where event is not null`.execute(db);
  await sql`create index on record (class, recorded_at, seq) where class <> 'access'`.execute(db);
  // Its list of pending entries is read by every search of the newest day, so it is kept short (in kB).
  await sql`create index on record using gin (coordinates) with (gin_pending_list_limit = 256)`.execute(db);
}

/** The tree over the records, and what signing it needs. */
async function createLog(db: Kysely<never>): Promise<void> {
  // Durable, but not in the tree yet. Small: the sequencer empties it several times a second.
  await sql`
    create table pending (
      seq bigint primary key,
      recorded_at timestamptz not null,
      class text not null,
      content_hash bytea not null
    )`.execute(db);
  await sql`
    create table leaf (
      log_index bigint primary key,
      seq bigint not null,
      recorded_at timestamptz not null,
      class text not null,
      content_hash bytea not null
    )`.execute(db);
  await sql`create index on leaf (seq)`.execute(db);
  await sql`
    create table tile (
      level smallint not null,
      index bigint not null,
      hashes bytea not null,
      primary key (level, index)
    )`.execute(db);
  // One row: what is integrated. It is signed only after it is committed, so no size is ever signed with two roots.
  await sql`
    create table head (
      is_only boolean primary key default true check (is_only),
      origin text,
      -- Whether checkpoints count only with the quorum of witnesses.
      needs_witnesses boolean not null default false,
      size bigint not null default 0,
      root bytea not null default sha256('')
    )`.execute(db);
  await sql`insert into head default values`.execute(db);
  await sql`
    create table checkpoint (
      origin text not null,
      size bigint not null,
      root bytea not null,
      note text not null,
      is_witnessed boolean not null default false,
      signed_at timestamptz not null default clock_timestamp(),
      primary key (origin, size)
    )`.execute(db);
  await sql`
    create table sequencer (
      is_only boolean primary key default true check (is_only),
      holder text not null,
      until timestamptz not null
    )`.execute(db);
}
