import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { LastSigned, loadKeysOf, Sequencer, verifierKey } from '@behalf/audit/internal/log';
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
  const db = openDatabase<AuditDatabase>(databaseUrl, { max: 2, applicationName: 'behalf-audit-sequencer' });
  const sequencer = await sequencerOf(db, keyFile, auditPolicyFile(dataDir), log).catch(
    async (error: unknown) => {
      await db.destroy();
      throw error;
    },
  );
  sequencer.start();
  return {
    async close() {
      await sequencer.close();
      await db.destroy();
    },
  };
}

async function sequencerOf(
  db: Kysely<AuditDatabase>,
  keyFile: string,
  policyFile: string,
  log: Log,
): Promise<Sequencer> {
  const keys = await loadKeysOf(db, ORIGIN, [keyFile]);
  const lastSigned = await LastSigned.open(`${keyFile}.last-signed`);
  await writeFile(policyFile, `log ${verifierKey(keys[0])}\nquorum none\n`);
  return new Sequencer({ db, keys, lastSigned: [lastSigned], log });
}
