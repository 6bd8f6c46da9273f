import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Kysely } from 'kysely';
import type { LoggedEntry } from '@behalf/audit';
import { readAuditEntries } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { withDatabase } from '../database.js';
import { unwritable } from '../unwritable.js';
import { AuditFile } from './audit-file.js';
import type { AuditSource } from './audit-tail.js';
import { type AuditFormat, recordLine } from './describe-record.js';

const MAX_BATCH = 1_000;

export interface AuditExportOptions {
  readonly source: AuditSource;
  /** Made; it must not be there. */
  readonly target: string;
  readonly format: Exclude<AuditFormat, 'human'>;
  /** Only records of this time or later. */
  readonly from?: Date | undefined;
  /** Only records before this time. */
  readonly until?: Date | undefined;
  readonly warn: (line: string) => void;
}

/** `behalf audit export --format`: writes records to a file, one per line, the oldest first. @returns how many */
export async function auditExportRecords(options: AuditExportOptions): Promise<number> {
  const { format, source, target } = options;
  const file = await create(target);
  try {
    let count = 0;
    const batches =
      'file' in source ? withFile(source.file, options) : withRecords(source.databaseUrl, options);
    await batches(async (entries) => {
      count += entries.length;
      await write(file, target, entries.map((entry) => `${recordLine(entry, format)}\n`).join(''));
    });
    return count;
  } finally {
    await file.close();
  }
}

type Write = (entries: readonly LoggedEntry[]) => Promise<void>;

/** Records name people by pseudonyms, and are nobody else's business. */
async function create(target: string): Promise<FileHandle> {
  return open(target, 'wx', 0o600).catch((error: unknown) => {
    throw unwritable(target, error);
  });
}

/** Leaves no part of an export behind, which would look like all of it. */
async function write(file: FileHandle, target: string, text: string): Promise<void> {
  try {
    await file.appendFile(text);
  } catch (error) {
    await unlink(target);
    throw unwritable(target, error);
  }
}

function withRecords(
  databaseUrl: string,
  { from, until }: AuditExportOptions,
): (write: Write) => Promise<void> {
  const database = { max: 1, applicationName: 'behalf-audit-export' };
  return (write) =>
    withDatabase(databaseUrl, database, async (db: Kysely<AuditDatabase>) => {
      let after = { recordedAt: from ?? new Date(0), seq: 0 };
      for (;;) {
        const entries = await readAuditEntries(db, { after, limit: MAX_BATCH });
        const wanted = entries.filter(({ recordedAt }) => until === undefined || recordedAt < until);
        await write(wanted);
        const last = entries.at(-1);
        if (last === undefined || wanted.length < entries.length) return;
        after = last;
      }
    });
}

function withFile(path: string, { from, until, warn }: AuditExportOptions): (write: Write) => Promise<void> {
  return (write) =>
    AuditFile.use(path, async (file) => {
      let batch: LoggedEntry[] = [];
      for await (const record of file.forwards(0, await file.end())) {
        if (record === undefined) warn(`${path}: a line is no record`);
        else if (isWithin(record.time, from, until)) batch.push({ record });
        if (batch.length < MAX_BATCH) continue;
        await write(batch);
        batch = [];
      }
      await write(batch);
    });
}

function isWithin(timeMs: number, from: Date | undefined, until: Date | undefined): boolean {
  return (
    (from === undefined || timeMs >= from.getTime()) && (until === undefined || timeMs < until.getTime())
  );
}
