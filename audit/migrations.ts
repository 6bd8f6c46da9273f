import { sql } from 'kysely';
import type { Kysely, Migration } from 'kysely';
import { createAppend } from './append-function.js';
import { OUTCOMES } from './columns.js';

/** The migrations of the audit log, in the PostgreSQL schema `audit`. */
export const auditMigrations: Record<string, Migration> = {
  '001-record': {
    async up(db: Kysely<never>) {
      await sql`
        create table record (
          seq bigint generated always as identity primary key,
          transaction_id uuid not null,
          trace_id text,
          occurred_at timestamptz not null,
          outcome text not null,
          reason text,
          subject_pseudonym text,
          client_id text,
          actor text,
          consent_id text,
          consent_version integer,
          purposes text[],
          operation_name text,
          operation_hash text,
          source text,
          fields jsonb not null
        )`.execute(db);
      await sql`create index record_by_subject on record (subject_pseudonym, seq)`.execute(db);
      await sql`create index record_by_consent on record (consent_id, seq)`.execute(db);
    },
  },
  '002-services': {
    async up(db: Kysely<never>) {
      await sql`
        alter table record
          add column service boolean,
          add column passed_on_by text,
          add column passed_on_to text`.execute(db);
    },
  },
  '003-accounts': {
    async up(db: Kysely<never>) {
      await sql`alter table record add column trace_link text, add column unaccounted text[]`.execute(db);
    },
  },
  '004-append': {
    async up(db: Kysely<never>) {
      const outcomes = sql.join(Object.keys(OUTCOMES).map((outcome) => sql.lit(outcome)));
      // The time of recording, which no writer controls; and whether the record's own time was too far from it.
      await sql`
        alter table record
          add column recorded_at timestamptz not null default clock_timestamp(),
          add column clock_off boolean,
          add constraint record_outcome check (outcome in (${outcomes})),
          add constraint record_fields check (jsonb_typeof(fields) = 'array')`.execute(db);
      await createAppend(db);
    },
  },
};
