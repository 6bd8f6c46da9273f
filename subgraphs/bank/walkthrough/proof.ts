import { setTimeout as sleep } from 'node:timers/promises';
import { proveRecord } from '@behalf/audit/internal/log';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { openDatabase } from '@behalf/store';
import { WalkthroughError } from './error.js';

const MAX_WAIT_MS = 10_000;
const STEP_MS = 50;
const MAX_LINE_LENGTH = 90;

/** The `.tlog-proof` of a transaction's record, as soon as a checkpoint covers it: within a second. */
export async function makeProof(databaseUrl: string, transactionId: string): Promise<string> {
  const db = openDatabase<AuditDatabase>(databaseUrl, { max: 1 });
  try {
    for (let waitedMs = 0; waitedMs < MAX_WAIT_MS; waitedMs += STEP_MS) {
      const result = await proveRecord(db, transactionId);
      if ('proof' in result) return result.proof;
      await sleep(STEP_MS);
    }
    throw new WalkthroughError('The record has no proof');
  } finally {
    await db.destroy();
  }
}

/** Long lines, such as the record itself, are cut for the eye. */
export function shortened(proof: string): string {
  return proof
    .trimEnd()
    .split('\n')
    .map((line) => (line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}…` : line))
    .join('\n');
}
