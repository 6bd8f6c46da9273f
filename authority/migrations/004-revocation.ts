import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  // Who wanted a change: before, only a consent's own log said so.
  sql`alter table change_event add column entity_id text`,
  sql`create index change_event_token on change_event ((members ->> 'tokenId')) where members ? 'tokenId'`,

  // Sessions that ended before their time, as long as something of them can come back.
  sql`create table ended_session (
    session_id text primary key,
    ended_at timestamptz not null default clock_timestamp()
  )`,
  sql`create index oidc_payload_session on oidc_payload ((payload ->> 'sessionUid'))
    where payload ? 'sessionUid'`,

  // A row is never deleted: it tells who stopped what, why, and until when.
  sql`create table suspension (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('client', 'scope', 'everything')),
    target text not null,
    since timestamptz not null,
    suspended_by text not null,
    reason text not null,
    announced_at timestamptz not null,
    ended_at timestamptz,
    ended_by text,
    ended_reason text,
    check ((kind = 'everything') = (target = '')),
    check ((ended_at is null) = (ended_by is null))
  )`,
  sql`create unique index suspension_standing on suspension (kind, target) where ended_at is null`,

  // A gateway says how it is called, and how long it permits anything without hearing from us.
  sql`alter table stream add column description text, add column max_staleness_ms integer`,
];

/** Revocation by token and session, suspensions, and who has to acknowledge a change. */
export const revocation: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
