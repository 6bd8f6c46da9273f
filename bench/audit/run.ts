import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, openDatabaseServer } from '@behalf/store';
import { createWriterRole, migrateAudit, writerUrl } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { benchDurableRecords } from './durable.js';
import { benchLatency } from './latency.js';
import { benchRecording } from './recording.js';
import { benchVerification } from './verification.js';

const WRITER_PASSWORD = 'bench-writer';

/** What it costs to record, and to verify. */
export async function benchAudit(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-audit-'));
  const database = await openDatabaseServer({ dataDir: folder });
  const db = openDatabase<AuditDatabase>(database.url, { max: 3 });
  try {
    await migrateAudit(db);
    await createWriterRole(db, WRITER_PASSWORD);
    const writer = writerUrl(database.url, WRITER_PASSWORD);
    await benchLatency(writer, folder);
    await benchRecording();
    await benchDurableRecords(writer);
    await benchVerification(db);
  } finally {
    await db.destroy();
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
