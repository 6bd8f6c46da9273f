import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LastSigned, loadLogKey, Sequencer, verifierKey } from '@behalf/audit/internal/log';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { openDatabase } from '@behalf/store';
import type { Log } from '@behalf/store';

const ORIGIN = 'audit.bank.example';
const KEY_FILE = 'audit-log-key.pem';
const POLICY_FILE = 'audit-log.policy';

/** Whom one has to trust to verify the example's log (C2SP tlog-policy). Whoever verifies it elsewhere needs a copy. */
export function auditPolicyFile(dataDir: string): string {
  return join(dataDir, POLICY_FILE);
}

/** Starts what puts the audit records into the log and signs it. */
export async function startAuditLog(
  databaseUrl: string,
  dataDir: string,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  const keyFile = join(dataDir, KEY_FILE);
  const key = await loadLogKey(keyFile, ORIGIN);
  const lastSigned = await LastSigned.open(`${keyFile}.last-signed`);
  await writeFile(auditPolicyFile(dataDir), `log ${verifierKey(key)}\nquorum none\n`);
  const db = openDatabase<AuditDatabase>(databaseUrl, { max: 2, applicationName: 'behalf-audit-sequencer' });
  const sequencer = new Sequencer({ db, keys: [key], lastSigned: [lastSigned], log });
  sequencer.start();
  return {
    async close() {
      await sequencer.close();
      await db.destroy();
    },
  };
}
