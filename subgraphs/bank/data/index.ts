import type { Kysely } from 'kysely';

import { migrateBank } from './migrations/index.js';
import { seedBank } from './seed.js';
import type { SeedOptions } from './seed-options.js';

export type { BankDatabase } from './database.js';
export { seedBank } from './seed.js';
export { DEFAULT_SEED, type SeedOptions } from './seed-options.js';
export { migrateBank } from './migrations/index.js';

/**
 * Makes the bank's tables and fills them once.
 *
 * @returns whether this call filled them
 * @throws StoreError `MIGRATION_FAILED`
 */
export async function prepareBank<Schema>(
  db: Kysely<Schema>,
  options: Partial<SeedOptions> = {},
): Promise<boolean> {
  await migrateBank(db);
  return seedBank(db, options);
}
