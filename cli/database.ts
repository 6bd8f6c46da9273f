import type { Kysely } from 'kysely';

import { checkDatabase, type DatabaseOptions, openDatabase, StoreError } from '@behalf/store';
import { sqlStateOf } from '@behalf/store/internal';
import { CommandError } from './command-error.js';

/**
 * Opens the database for one command, and closes it afterwards. The connection is checked first, so that an unreachable database
 * is reported in one line, without the password in its URL.
 *
 * @throws StoreError `DATABASE_UNREACHABLE`, `DATABASE_VERSION`
 * @throws CommandError `DATABASE_UNREADABLE`
 */
export async function withDatabase<Schema, Result>(
  databaseUrl: string,
  options: DatabaseOptions,
  work: (db: Kysely<Schema>) => Promise<Result>,
): Promise<Result> {
  await checkDatabase(databaseUrl);
  const db = openDatabase<Schema>(databaseUrl, options);
  try {
    return await work(db);
  } catch (error) {
    throw explained(error);
  } finally {
    await db.destroy();
  }
}

/** Syntax and names (42) and schemas (3F): the tables are not there, were changed, or are not for this role. */
const UNREADABLE = /^(?:42|3F)/;
/** Data (22) that cannot be what they should. */
const DAMAGED = /^22/;
/** Connections (08), and a server that shuts down (57P). */
const LOST = /^(?:08|57P|ECONN|EPIPE|ETIMEDOUT)/;

/** Says in one line what a person can mend; any other error stays as it is. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const state = sqlStateOf(error) ?? '';
  if (LOST.test(state) || error.message.startsWith('Connection terminated'))
    return new StoreError('DATABASE_UNREACHABLE', `The connection to the database is lost: ${error.message}`);
  // PostgreSQL's words for damaged data quote them.
  const reason = DAMAGED.test(state) ? state : UNREADABLE.test(state) ? error.message : undefined;
  if (reason === undefined) return error;
  return new CommandError(
    'DATABASE_UNREADABLE',
    `The database does not hold what this command reads, or not for this role: ${reason}`,
  );
}
