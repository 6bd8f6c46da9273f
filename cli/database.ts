import type { Kysely } from 'kysely';

import { checkDatabase, type DatabaseOptions, openDatabase } from '@behalf/store';

/**
 * Opens the database for one command, and closes it afterwards. The connection is checked first, so that an unreachable database
 * is reported in one line, without the password in its URL.
 *
 * @throws StoreError `DATABASE_UNREACHABLE`, `DATABASE_VERSION`
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
  } finally {
    await db.destroy();
  }
}
