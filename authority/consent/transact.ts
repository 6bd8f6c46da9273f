import { sql, type Transaction } from 'kysely';

import { endHeldTransactions, SQLSTATE, sqlStateOf } from '@behalf/store/internal';
import { AuthorityError } from '../errors.js';
import type { AuthorityDatabase, AuthoritySchema } from '../schema.js';

const MAX_ATTEMPTS = 3;

/** Why a transaction is done again. */
type Obstacle =
  /** Two transactions locked each other's rows, and PostgreSQL ended this one. */
  | 'deadlock'
  /** Another session of ours holds a row, for longer than one of our transactions should take. */
  | 'lock'
  /** The server's table of locks is full: one session can fill it, by whatever role. */
  | 'no-room-for-locks'
  /** The queue of notifications is full: one session can fill it, by whatever role. */
  | 'no-room-for-notifications';

/**
 * One transaction, done again when something is in its way that passes or can be removed. Whoever waits for it waits for a
 * bounded time: each lock for `lock_timeout`, each statement for `statement_timeout`.
 *
 * Nothing that a gateway's role can lock is waited for. Such a role can still fill what is the server's. Its sessions that
 * keep a transaction open are therefore ended before the next attempt, as far as the server has room for that. Listeners
 * look by themselves, so a change is made without a notification rather than not at all.
 *
 * @throws AuthorityError `store_busy` when it could not be done in time; nothing of it is kept
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
          'store_busy',
          'The database did not give way in time; nothing was changed, so try again',
          { cause: error },
        );
      }
      isQuiet ||= obstacle === 'no-room-for-notifications';
      // Where it may not, or cannot even look, the next attempt tells.
      if (obstacle !== 'deadlock') await endHeldTransactions(db, 0).catch(() => 0);
    }
  }
}

/**
 * One statement, on its own unless something is in its way: then it is done again as {@link transact} does.
 *
 * @throws AuthorityError `store_busy`
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

/** Whether a transaction was given up because of others, so that it is to be tried again. */
export function isStoreBusy(error: unknown): boolean {
  return error instanceof AuthorityError && error.code === 'store_busy';
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
