import type { Kysely } from 'kysely';

import { migrate } from '@behalf/store/internal';
import { first } from './001-first.js';

/**
 * Brings the bank's tables to the newest version. Safe to call from several processes at once.
 *
 * @throws StoreError `MIGRATION_FAILED`
 */
export async function migrateBank<Schema>(db: Kysely<Schema>): Promise<void> {
  await migrate(db, { part: 'bank', migrations: { '001-first': first } });
}
