import type { Kysely } from 'kysely';

import { migrateBank } from './migrations/index.js';
import { seedBank, type SeedOptions } from './seed.js';

export type { BankDatabase } from './database.js';
export { DEFAULT_SEED, seedBank, type SeedOptions } from './seed.js';
export { migrateBank } from './migrations/index.js';

/**
 * Makes the bank's tables and fills them once.
 *
 * @returns whether this call filled them
 * @throws StoreError `migration_failed`
 */
export async function prepareBank<Schema>(
  db: Kysely<Schema>,
  options: Partial<SeedOptions> = {},
): Promise<boolean> {
  await migrateBank(db);
  return seedBank(db, options);
}
