import { type Migration, sql } from 'kysely';

/** Which clients the policy of the running authority knows, so that commands can warn. */
export const runningPolicy: Migration = {
  async up(db) {
    await sql`create table running_policy (
      single boolean primary key default true check (single),
      version text not null,
      clients text[] not null,
      recorded_at timestamptz not null default clock_timestamp())`.execute(db);
  },
};
