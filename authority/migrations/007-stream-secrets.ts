import { type Migration, sql } from 'kysely';

const STATEMENTS = [
  // Made with a secret that several knew: whose they are is not known, and each gateway makes a new one.
  sql`delete from stream`,
  // Keyed with the secret that the stream was made with. Without one, nobody has the stream.
  sql`alter table stream add column secret_digest bytea unique`,
  // It was stopped, or narrowed: it may never tell what happened meanwhile.
  sql`alter table stream add column has_gap boolean not null default false`,
];

/** Each stream has a secret of its own, and remembers that it was interrupted. */
export const streamSecrets: Migration = {
  async up(db) {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
