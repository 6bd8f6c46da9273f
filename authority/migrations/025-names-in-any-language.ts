import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  // The notice says which words stand around the name. Older ones do not: they are in English.
  sql`create function unnamed_words(notice jsonb, tombstone text) returns text language sql immutable as $$
    select coalesce(string_agg(
      case when starts_with(line, before) and right(line, length(after)) = after
          and length(line) >= length(before) + length(after)
        then before || tombstone || after else line end, E'\\n' order by place), '')
    from (select coalesce(notice #>> '{signedInAs,before}', 'You are signed in as ') as before,
        coalesce(notice #>> '{signedInAs,after}', '.') as after) as greeting,
      string_to_table(notice ->> 'text', E'\\n') with ordinality as lines (line, place)
  $$`,
  sql`revoke all on function unnamed_words(jsonb, text) from public`,

  sql`create or replace function refuse_all_but_forgetting() returns trigger language plpgsql as $$
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
                and after #>> path = authority.unnamed_words(before -> path[1], p.tombstone)) then
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
  sql`drop function unnamed_words(text, text)`,
];

/** The page that greets the person is in any language, so the words around their name are found in the notice. */
export const namesInAnyLanguage: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
