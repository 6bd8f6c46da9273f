import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  // An exchanged token ends with every token that it came from, and with every client that acts in it.
  sql`alter table token_status
    add column actors text[] not null default '{}',
    add column exchanged_from text[] not null default '{}'`,
  // Partial indexes, because most tokens are not exchanged.
  sql`create index token_status_actors on token_status using gin (actors) where actors <> '{}'`,
  sql`create index token_status_exchanged_from on token_status using gin (exchanged_from)
    where exchanged_from <> '{}'`,
];

/** The lineage of exchanged tokens. */
export const lineage: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
