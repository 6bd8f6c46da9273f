import { migrateAudit } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { openDatabase } from '@behalf/store';
import { createTestDatabase, ensureTemplate } from './database.js';
import type { TestDatabase } from './database.js';

/** A database with the audit log's tables, as a copy of one that is migrated once for a run. */
export async function createAuditDatabase(): Promise<TestDatabase<AuditDatabase>> {
  const template = await ensureTemplate('audit', async (url) => {
    const db = openDatabase<AuditDatabase>(url, { max: 1 });
    await migrateAudit(db);
    await db.destroy();
  });
  return createTestDatabase<AuditDatabase>({ template });
}
