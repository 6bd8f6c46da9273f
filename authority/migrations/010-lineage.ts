import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  // A token that was exchanged ends with every token that it came from, and with every client that acts in it.
  sql`alter table token_status
    add column actors text[] not null default '{}',
    add column exchanged_from text[] not null default '{}'`,
  // Most tokens are not exchanged, and are not in these.
  sql`create index token_status_actors on token_status using gin (actors) where actors <> '{}'`,
  sql`create index token_status_exchanged_from on token_status using gin (exchanged_from)
    where exchanged_from <> '{}'`,
];

/** Where exchanged tokens come from. */
export const lineage: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
