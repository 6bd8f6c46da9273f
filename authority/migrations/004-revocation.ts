import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  // Who requested a change; until now, only a consent's own log recorded it.
  sql`alter table change_event add column entity_id text`,
  sql`create index change_event_token on change_event ((members ->> 'tokenId')) where members ? 'tokenId'`,

  // Sessions that were ended early, for as long as parts of them can be written back.
  sql`create table ended_session (
    session_id text primary key,
    ended_at timestamptz not null default clock_timestamp()
  )`,
  sql`create index oidc_payload_session on oidc_payload ((payload ->> 'sessionUid'))
    where payload ? 'sessionUid'`,

  // Rows are never deleted: they record who suspended what, why, and until when.
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

  // A gateway states its name, and how long it permits access without hearing from us.
  sql`alter table stream add column description text, add column max_staleness_ms integer`,
];

/** Revocation by token and session, suspensions, and acknowledgement by gateways. */
export const revocation: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
