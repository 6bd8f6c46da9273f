import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  // These streams were created with a shared secret, so their owners are unknown. Each gateway creates a new one.
  sql`delete from stream`,
  // Keyed with the secret that created the stream. Without one, nobody has access to the stream.
  sql`alter table stream add column secret_digest bytea unique`,
  // It was stopped or narrowed, so it may lack events.
  sql`alter table stream add column has_gap boolean not null default false`,
];

/** Each stream has its own secret, and records interruptions. */
export const streamSecrets: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
