import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  sql`alter table application_event drop constraint application_event_event_type_check`,
  sql`alter table application_event add constraint application_event_event_type_check
    check (event_type in ('registered', 'changed', 'secret_renewed', 'retired'))`,
];

/** An application's secret can be renewed, which is recorded. */
export const clientSecrets: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
