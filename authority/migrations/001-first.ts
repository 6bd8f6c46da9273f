import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  sql`create function refuse_change() returns trigger language plpgsql as $$
    begin raise exception 'the log % is append-only', tg_table_name; end $$`,

  sql`create table consent_event (
    event_id bigint generated always as identity primary key,
    record_id text not null,
    event_type text not null
      check (event_type in ('requested', 'granted', 'narrowed', 'extended', 'expired', 'revoked')),
    event_time timestamptz not null default clock_timestamp(),
    pii_principal_id text not null,
    client_id text not null,
    entity_id text not null,
    scopes text[] not null,
    purposes text[] not null,
    detail text not null check (detail in ('full', 'minimal')),
    valid_until timestamptz not null,
    version integer not null,
    privacy_notice jsonb,
    reason text
  )`,
  sql`create index consent_event_record on consent_event (record_id, event_id)`,
  sql`create trigger append_only before update or delete or truncate on consent_event
    for each statement execute function refuse_change()`,

  sql`create table consent (
    id text primary key,
    version integer not null,
    subject text not null,
    client_id text not null,
    scopes text[] not null,
    declined text[] not null,
    purposes text[] not null,
    detail text not null check (detail in ('full', 'minimal')),
    status text not null check (status in ('active', 'revoked', 'expired', 'replaced')),
    granted_at timestamptz not null,
    until timestamptz not null,
    ended_at timestamptz,
    ended_by text,
    ended_reason text,
    tokens_not_before timestamptz,
    check ((status = 'active') = (ended_at is null))
  )`,
  sql`create unique index consent_one_active on consent (subject, client_id) where status = 'active'`,
  sql`create index consent_by_subject on consent (subject, granted_at desc, id desc)`,
  sql`create index consent_by_client on consent (client_id, granted_at desc, id desc)`,
  sql`create index consent_by_time on consent (granted_at desc, id desc)`,
  sql`create index consent_to_expire on consent (until) where status = 'active'`,

  sql`create table subject_cutoff (subject text primary key, not_before timestamptz not null)`,

  sql`create table change_head (single boolean primary key default true check (single), seq bigint not null)`,
  sql`insert into change_head (seq) values (0)`,
  sql`create table change_event (
    seq bigint primary key,
    jti uuid not null unique,
    kind text not null,
    members jsonb not null,
    initiator text not null check (initiator in ('user', 'admin', 'policy')),
    reason text,
    occurred_at timestamptz not null
  )`,
  sql`create index change_event_time on change_event (occurred_at)`,
  sql`create trigger append_only before update or delete or truncate on change_event
    for each statement execute function refuse_change()`,

  sql`create table stream (
    id text primary key,
    events text[] not null,
    delivered_seq bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    polled_at timestamptz not null default clock_timestamp()
  )`,
  sql`create table stream_ack (
    stream_id text not null references stream on delete cascade,
    seq bigint not null,
    primary key (stream_id, seq)
  )`,

  sql`create table account (
    subject text primary key,
    username text not null unique,
    display_name text not null,
    password_hash text not null,
    roles text[] not null,
    policies text[] not null,
    demo boolean not null
  )`,

  sql`create table sealed_secret (
    name text primary key,
    nonce bytea not null,
    ciphertext bytea not null,
    created_at timestamptz not null default clock_timestamp()
  )`,

  sql`create table oidc_payload (
    model text not null,
    id text not null,
    payload jsonb not null,
    grant_id text,
    uid text,
    account_id text,
    client_id text,
    consumed_at timestamptz,
    expires_at timestamptz,
    primary key (model, id)
  )`,
  sql`create index oidc_payload_grant on oidc_payload (grant_id) where grant_id is not null`,
  sql`create index oidc_payload_uid on oidc_payload (uid) where uid is not null`,
  sql`create index oidc_payload_account on oidc_payload (account_id) where account_id is not null`,
  sql`create index oidc_payload_client on oidc_payload (client_id) where client_id is not null`,
  sql`create index oidc_payload_expiry on oidc_payload (expires_at)`,
];

export const first: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
