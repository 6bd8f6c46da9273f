import type { Clock } from '@behalf/directives';
import { type Kysely, sql } from 'kysely';

import type { ErrorDescription } from '@behalf/directives/internal';
import { Readiness } from '@behalf/http/internal';

/** Why an authority or a consent subgraph is not ready: members of `notReady` in the answer of `/health/ready`. */
export const authorityReadinessCodes = Object.freeze({
  DATABASE_UNREACHABLE: {
    description: 'The database does not answer, and nothing works without it.',
    since: '0.1.0',
  },
  STARTING: { description: 'The server listens, and is not complete yet.', since: '0.1.0' },
  DRAINING: {
    description: 'The server is ending: it answers what it gets, and must get no new requests.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Only the store: keys and policy were read at the start, and without them nothing would listen. */
export function databaseReadiness<Schema>(
  db: Kysely<Schema>,
  clock?: Pick<Clock, 'monotonic' | 'after'>,
): Readiness<'DATABASE_UNREACHABLE'> {
  const answers = async (): Promise<boolean> => {
    await sql`select 1`.execute(db);
    return true;
  };
  return new Readiness({ DATABASE_UNREACHABLE: answers }, clock);
}
