import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  // Levels of detail that the person chose, by data category or field.
  sql`alter table consent add column levels jsonb not null default '{}'`,
  sql`alter table consent_event add column levels jsonb not null default '{}'`,
];

/** What people choose of the detail of their data. */
export const levels: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
