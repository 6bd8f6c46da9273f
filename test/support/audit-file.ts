import { readFile } from 'node:fs/promises';
import type { AuditRecord } from '@behalf/audit';

/** The record that was written last into an audit file. */
export async function lastRecord(file: string): Promise<AuditRecord> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return JSON.parse(lines.at(-1) ?? '') as AuditRecord;
}
