import type { Kysely } from 'kysely';

import { checkDatabase, type DatabaseOptions, openDatabase } from '@behalf/store';

/**
 * The database of one command: every command that works on one opens it here. That it cannot be reached is found out first, so
 * that it is told in one line, without what stands in the URL.
 *
 * @throws StoreError `database_unreachable`, `database_version`
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
