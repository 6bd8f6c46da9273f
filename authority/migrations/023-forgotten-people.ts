import { type Migration, sql } from 'kysely';

/** An append-only log, and its columns that name people, as paths. */
const LOGS = [
  { log: 'consent_event', names: ['pii_principal_id', 'entity_id', 'privacy_notice.text'] },
  { log: 'consent_export', names: ['pii_principal_id', 'entity_id'] },
  { log: 'application_event', names: ['entity_id'] },
  { log: 'change_event', names: ['members.subject', 'entity_id'] },
] as const;

const STATEMENTS = [
  // A person's name, and what stands for it everywhere else. Housekeeping removes the row when nothing issued to them is alive.
  sql`create table forgotten_person (
    tombstone text primary key default 'erased-' || gen_random_uuid()::text
      check (tombstone ~ '^erased-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    subject text not null,
    forgotten_at timestamptz not null default clock_timestamp()
  )`,
  sql`create index forgotten_person_subject on forgotten_person (subject)`,

  // The consent page greets the person, so the record of its words has their name as well.
  sql`create function unnamed_words(words text, tombstone text) returns text language sql immutable as $$
    select regexp_replace(words, '(^|\\n)You are signed in as [^\\n]*', '\\1You are signed in as ' || tombstone || '.', 'g')
  $$`,
  sql`revoke all on function unnamed_words(text, text) from public`,

  // The arguments are the columns that may change, and only from a forgotten name to its tombstone.
  sql`create function refuse_all_but_forgetting() returns trigger language plpgsql as $$
    declare
      before jsonb := to_jsonb(old);
      after jsonb;
      members jsonb;
      restored record;
      place text;
      path text[];
      is_renamed boolean := false;
    begin
      if tg_op = 'UPDATE' then
        after := to_jsonb(new);
        members := after;
        restored := new;
        foreach place in array tg_argv loop
          path := string_to_array(place, '.');
          if exists (select from authority.forgotten_person p
              where p.subject = before #>> path and p.tombstone = after #>> path)
            or place = 'privacy_notice.text' and exists (select from authority.forgotten_person p
              where p.subject = before ->> 'pii_principal_id' and p.tombstone = after ->> 'pii_principal_id'
                and after #>> path = authority.unnamed_words(before #>> path, p.tombstone)) then
            members := jsonb_set(members, path, before #> path);
            -- By type, because null and the JSON value null are the same in a row's JSON.
            restored := jsonb_populate_record(restored, jsonb_build_object(path[1], members -> path[1]));
            is_renamed := true;
          end if;
        end loop;
        if is_renamed and restored is not distinct from old then return new; end if;
      end if;
      raise exception 'the log % is append-only', tg_table_name;
    end $$`,
  sql`revoke all on function refuse_all_but_forgetting() from public`,
  ...LOGS.flatMap(({ log, names }) => {
    // Old changes are deleted by housekeeping, see `keeps_a_day`.
    const operations = log === 'change_event' ? 'update' : 'update or delete';
    return [
      sql`drop trigger append_only on ${sql.id(log)}`,
      sql`create trigger append_only before ${sql.raw(operations)} on ${sql.id(log)}
        for each row execute function refuse_all_but_forgetting(${sql.join(names.map((name) => sql.lit(name)))})`,
      sql`create trigger keeps_all before truncate on ${sql.id(log)}
        for each statement execute function refuse_change()`,
    ];
  }),
];

/** People can be forgotten: a tombstone takes the place of their name, also in the append-only logs. */
export const forgottenPeople: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
