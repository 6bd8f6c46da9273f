import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  sql`alter table consent add column declined_purposes text[] not null default '{}'`,

  sql`alter table consent_event
    add column declined text[] not null default '{}',
    add column declined_purposes text[] not null default '{}',
    add column schema_version text not null default 'behalf-27560-1',
    add column policy_version text,
    add column replaces text`,
  sql`create index consent_event_principal on consent_event (pii_principal_id, event_id)`,

  // The log recorded refused scopes only as the difference to the requested ones. A replay needs them with each event.
  sql`alter table consent_event disable trigger append_only`,
  sql`update consent_event e set declined = coalesce(
    (select array(
        select asked.scope from unnest(r.scopes) with ordinality as asked (scope, place)
        where not asked.scope = any(e.scopes) order by asked.place)
      from consent_event r
      where r.record_id = e.record_id and r.event_type = 'requested' and r.event_id < e.event_id
      order by r.event_id desc limit 1),
    '{}')
    where e.event_type <> 'requested'`,
  sql`alter table consent_event enable trigger append_only`,

  // The projection's times were taken slightly apart from those of the log, which are authoritative.
  sql`update consent c set granted_at = date_trunc('milliseconds', e.event_time)
    from consent_event e where e.record_id = c.id and e.event_type = 'granted'`,
  sql`update consent c set ended_at = date_trunc('milliseconds', e.event_time)
    from consent_event e
    where e.record_id = c.id and e.event_type in ('narrowed', 'revoked') and c.status in ('replaced', 'revoked')`,

  sql`create table consent_export (
    export_id bigint generated always as identity primary key,
    event_time timestamptz not null default clock_timestamp(),
    pii_principal_id text not null,
    entity_id text not null,
    reason text not null,
    records integer not null
  )`,
  sql`create trigger append_only before update or delete or truncate on consent_export
    for each statement execute function refuse_change()`,

  sql`create table application (
    client_id text primary key,
    registration jsonb not null,
    secret_digest text,
    registered_at timestamptz not null,
    changed_at timestamptz not null,
    retired_at timestamptz
  )`,
  sql`create table application_event (
    event_id bigint generated always as identity primary key,
    client_id text not null,
    event_type text not null check (event_type in ('registered', 'changed', 'retired')),
    event_time timestamptz not null default clock_timestamp(),
    entity_id text not null,
    registration jsonb not null,
    reason text
  )`,
  sql`create index application_event_client on application_event (client_id, event_id)`,
  sql`create trigger append_only before update or delete or truncate on application_event
    for each statement execute function refuse_change()`,
];

/** What a replay of the consent log needs; records of exports by staff; registered applications. */
export const consent: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
