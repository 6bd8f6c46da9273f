import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  // The times determine which key signs, the same for every instance.
  sql`create table signing_key (
    kid text primary key,
    public_jwk jsonb not null,
    nonce bytea,
    ciphertext bytea,
    published_at timestamptz not null default clock_timestamp(),
    signs_from timestamptz,
    signs_until timestamptz,
    gone_at timestamptz,
    revoked_at timestamptz,
    check ((nonce is null) = (revoked_at is not null) and (ciphertext is null) = (revoked_at is not null)),
    check ((signs_until is null) = (gone_at is null) or revoked_at is not null)
  )`,
  // The single earlier key: nothing that it signed lives longer than minutes.
  sql`delete from sealed_secret where name = 'signing-keys'`,

  sql`alter table stream
    add column receiver text not null default 'gateways',
    add column events_requested text[] not null default '{}',
    add column status text not null default 'enabled' check (status in ('enabled', 'paused', 'disabled')),
    add column status_reason text,
    add column push_endpoint text,
    add column push_nonce bytea,
    add column push_ciphertext bytea,
    add column push_failures integer not null default 0,
    add column push_not_before timestamptz not null default '-infinity',
    add column verified_at timestamptz`,
  sql`update stream set events_requested = events`,
  sql`create index stream_to_push on stream (push_not_before)
    where push_endpoint is not null and status = 'enabled'`,
  sql`create table stream_verification (
    stream_id text primary key references stream on delete cascade,
    jti uuid not null unique,
    state text,
    requested_at timestamptz not null default clock_timestamp()
  )`,

  // Events that no living token can match may be deleted; otherwise the log is append-only.
  sql`create function refuse_early_removal() returns trigger language plpgsql as $$
    begin
      if old.occurred_at > clock_timestamp() - interval '24 hours' then
        raise exception 'the log % is append-only for a day', tg_table_name;
      end if;
      return old;
    end $$`,
  sql`drop trigger append_only on change_event`,
  sql`create trigger append_only before update or truncate on change_event
    for each statement execute function refuse_change()`,
  sql`create trigger keeps_a_day before delete on change_event
    for each row execute function refuse_early_removal()`,

  sql`create table token_status (
    list integer not null,
    idx integer not null,
    jti text not null,
    subject text not null,
    client_id text not null,
    consent_id text,
    session_id text,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    revoked boolean not null default false,
    primary key (list, idx)
  )`,
  sql`create index token_status_jti on token_status (jti)`,
  sql`create index token_status_subject on token_status (subject, client_id)`,
  sql`create index token_status_client on token_status (client_id)`,
  sql`create index token_status_consent on token_status (consent_id)`,
  sql`create index token_status_session on token_status (session_id)`,
  sql`create index token_status_expiry on token_status (expires_at)`,
  sql`create index token_status_revoked on token_status (list) where revoked`,
];

export const keys: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
