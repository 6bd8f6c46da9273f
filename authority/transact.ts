import { sql, type Transaction } from 'kysely';

import { endHeldTransactions, SQLSTATE, sqlStateOf } from '@behalf/store/internal';
import { AuthorityError } from './errors.js';
import type { AuthorityDatabase, AuthoritySchema } from './schema.js';

const MAX_ATTEMPTS = 3;

/** Why a transaction is repeated. */
type Obstacle =
  /** A deadlock: PostgreSQL aborted this transaction. */
  | 'deadlock'
  /** Another of our sessions held a row for longer than our transactions should take. */
  | 'lock'
  /** The server's lock table is full; a single session of any role can fill it. */
  | 'no-room-for-locks'
  /** The notification queue is full; a single session of any role can fill it. */
  | 'no-room-for-notifications';

/**
 * Runs a transaction, and repeats it if an obstacle passes or can be removed. The waiting time is bounded: by `lock_timeout` for
 * each lock, and `statement_timeout` for each statement.
 *
 * It never waits for anything that a gateway's role can lock. Such a role can still fill the server's shared tables, so its
 * sessions with open transactions are ended before the next attempt, as far as the server has room for that. Listeners also look
 * by themselves, so a change is made without a notification rather than not at all.
 *
 * @throws AuthorityError `STORE_BUSY` if it could not be completed in time; nothing was changed
 */
export async function transact<Result>(
  db: AuthorityDatabase,
  work: (trx: Transaction<AuthoritySchema>) => Promise<Result>,
): Promise<Result> {
  let isQuiet = false;
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(async (trx) => {
        if (isQuiet) await sql`set local behalf.quiet = 'on'`.execute(trx);
        return work(trx);
      });
    } catch (error) {
      const obstacle = obstacleOf(error);
      if (obstacle === undefined) throw error;
      if (attempt >= MAX_ATTEMPTS || sqlStateOf(error) === SQLSTATE.queryCanceled) {
        throw new AuthorityError(
          'STORE_BUSY',
          'The database did not give way in time; nothing was changed, so try again',
          { cause: error },
        );
      }
      isQuiet ||= obstacle === 'no-room-for-notifications';
      // If it may not, or cannot even look, the next attempt fails and reports it.
      if (obstacle !== 'deadlock') await endHeldTransactions(db, 0).catch(() => 0);
    }
  }
}

/**
 * Runs a single statement, and repeats it like {@link transact} if there is an obstacle.
 *
 * @throws AuthorityError `STORE_BUSY`
 */
export async function attempt<Result>(
  db: AuthorityDatabase,
  statement: (db: AuthorityDatabase) => Promise<Result>,
): Promise<Result> {
  try {
    return await statement(db);
  } catch (error) {
    if (obstacleOf(error) === undefined) throw error;
    return transact(db, statement);
  }
}

/**
 * Whether a transaction was given up because of contention (`store_busy`): nothing was changed, so it can be retried.
 *
 * @example
 * ```ts
 * import { type ConsentRegister, isStoreBusy, type Revocation } from '@behalf/authority/consent';
 *
 * export async function revoke(consents: ConsentRegister, id: string, by: string): Promise<Revocation | 'try again'> {
 *   try {
 *     return await consents.revokeConsent(id, { by, initiator: 'user' });
 *   } catch (error) {
 *     if (isStoreBusy(error)) return 'try again';
 *     throw error;
 *   }
 * }
 * ```
 */
export function isStoreBusy(error: unknown): boolean {
  return error instanceof AuthorityError && error.code === 'STORE_BUSY';
}

function obstacleOf(error: unknown): Obstacle | undefined {
  switch (sqlStateOf(error)) {
    case SQLSTATE.deadlock:
      return 'deadlock';
    case SQLSTATE.lockNotAvailable:
    case SQLSTATE.queryCanceled:
      return 'lock';
    case SQLSTATE.outOfMemory:
      return 'no-room-for-locks';
    case SQLSTATE.programLimitExceeded:
      return 'no-room-for-notifications';
    default:
      return undefined;
  }
}
