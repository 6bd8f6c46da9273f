import type { Transaction } from 'kysely';

import type { AuthorityDatabase, AuthoritySchema } from '../schema.js';

const ATTEMPTS_AT_MOST = 5;
const DEADLOCK_DETECTED = '40P01';

/**
 * One transaction. Two revocations that meet can lock each other's tokens; PostgreSQL ends one of them, which is done again.
 */
export async function transact<Result>(
  db: AuthorityDatabase,
  work: (trx: Transaction<AuthoritySchema>) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt >= ATTEMPTS_AT_MOST || !isDeadlock(error)) throw error;
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === DEADLOCK_DETECTED;
}
