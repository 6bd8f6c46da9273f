import { type Migration, sql } from 'kysely';

/**
 * How many events may wait for the audit log: for a day at ten a second, in less than 1 GB. Further ones are counted, and the log
 * gets their number, because a revocation must work however long the log is away.
 */
export const MAX_WAITING_EVENTS = 1_000_000;

const STATEMENTS = [
  // Events on their way to the audit log, which each change writes in its own transaction.
  sql`create table audit_outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null unique default gen_random_uuid(),
    event text not null,
    occurred_at timestamptz not null default clock_timestamp(),
    transaction_id uuid not null,
    trace_id text,
    caller json not null,
    operator text,
    reason text,
    -- By name: the log gets pseudonyms.
    subjects text[] not null,
    -- Not jsonb, which would put the members into another order.
    details json
  )`,
  // Whether events are recorded, by the newest news of an authority that relays them.
  sql`create table audit_recording (
    single boolean primary key default true check (single),
    is_on boolean not null default false,
    relayed_at timestamptz not null default '-infinity',
    lost_told bigint not null default 0
  )`,
  sql`insert into audit_recording default values`,
  // A sequence counts without a lock, which every change would wait for.
  sql`create sequence audit_events_lost minvalue 0`,
  sql`select setval('audit_events_lost', 0)`,
  sql`create function record_events(events json) returns void language plpgsql as $$
    declare
      own_id text := nullif(current_setting('behalf.transaction_id', true), '');
      waiting bigint;
    begin
      if not exists (select from authority.audit_recording where is_on) then return; end if;
      waiting := (select last_value from authority.audit_outbox_id_seq)
        - (select id from authority.audit_outbox order by id limit 1) + 1;
      if waiting >= ${sql.lit(MAX_WAITING_EVENTS)} then
        perform nextval('authority.audit_events_lost') from json_array_elements(events);
        return;
      end if;
      -- The events of one transaction share its identifier, whichever statements write them.
      own_id := coalesce(own_id, gen_random_uuid()::text);
      perform set_config('behalf.transaction_id', own_id, true);
      insert into authority.audit_outbox (event, transaction_id, trace_id, caller, operator, reason, subjects, details)
      select item ->> 'event', coalesce(item ->> 'transactionId', own_id)::uuid, item ->> 'traceId',
        coalesce(item -> 'caller', '{}'), item ->> 'operator', item ->> 'reason',
        array(select json_array_elements_text(item -> 'subjects')), item -> 'details'
      from json_array_elements(events) with ordinality as list (item, place) order by place;
      perform authority.wake('audit');
    end $$`,
  sql`revoke all on function record_events(json) from public`,
  sql`insert into channel (name, channel)
    values ('audit', 'behalf_' || replace(gen_random_uuid()::text, '-', ''))`,
];

/** Events for the audit log: they wait here until it has them. */
export const auditOutbox: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
