import type { Clock } from '@behalf/directives';
import { type Kysely, sql } from 'kysely';

import type { ErrorDescription } from '@behalf/directives/internal';
import { Readiness } from '@behalf/http/internal';
import type { AuthorityDatabase } from './schema.js';

/** Why an authority or a consent subgraph is not ready: members of `notReady` in the answer of `/health/ready`. */
export const authorityReadinessCodes = Object.freeze({
  DATABASE_UNREACHABLE: {
    description:
      'The database does not answer, lacks a table or a right, or, at an authority, does not accept writes (a standby, for instance), and nothing works without it.',
    since: '0.1.0',
  },
  STARTING: { description: 'The server listens, and is not complete yet.', since: '0.1.0' },
  DRAINING: {
    description: 'The server is ending: it answers what it gets, and must get no new requests.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** What a request needs of the database. @throws if it cannot have it */
export type DatabaseNeed<Schema> = (db: Kysely<Schema>) => Promise<unknown>;

/** Only the store: keys and policy were read at the start, and without them nothing would listen. */
export function databaseReadiness<Schema>(
  db: Kysely<Schema>,
  need: DatabaseNeed<Schema>,
  clock?: Pick<Clock, 'monotonic' | 'after'>,
): Readiness<'DATABASE_UNREACHABLE'> {
  const isMet = async (): Promise<boolean> => {
    await need(db);
    return true;
  };
  return new Readiness({ DATABASE_UNREACHABLE: isMet }, clock);
}

class TakenBack extends Error {
  override readonly name = 'TakenBack';
}

/**
 * An authority's need. Every authorization begins with a row, so one is written, and taken back: a database that only answers
 * serves nobody.
 */
export async function needsWrites(db: AuthorityDatabase): Promise<void> {
  const row = { model: 'Readiness', id: 'trial', payload: sql<string>`'{}'::jsonb` };
  const trial = db.transaction().execute(async (trx) => {
    await trx
      .insertInto('authority.oidc_payload')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    throw new TakenBack();
  });
  await trial.catch((error: unknown) => {
    if (!(error instanceof TakenBack)) throw error;
  });
}

/** A consent subgraph's need. Most of its requests read, which a standby serves as well. */
export async function needsConsents(db: AuthorityDatabase): Promise<void> {
  await db.selectFrom('authority.consent').select('id').limit(1).execute();
}

/** The need of a server about whose tables nothing is known. */
export async function needsAnswers<Schema>(db: Kysely<Schema>): Promise<void> {
  await sql`select 1`.execute(db);
}
