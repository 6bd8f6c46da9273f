import type { Kysely } from 'kysely';
import type { LoggedEntry } from '@behalf/audit';
import { readAuditEntries } from '@behalf/audit/postgres';
import type { AuditDatabase, StoredAuditRecord } from '@behalf/audit/postgres';
import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { withDatabase } from '../database.js';
import { AuditFile, type FileEntry } from './audit-file.js';
import { type AuditFormat, formatRecord } from './describe-record.js';

const FOLLOW_INTERVAL_MS = 500;
const MAX_BATCH = 1_000;

type StoredEntry = StoredAuditRecord<NonNullable<FileEntry>>;

/** Where the records are: in a gateway's file, or in the database. */
export type AuditSource = { readonly file: string } | { readonly databaseUrl: string };

export interface AuditTailOptions {
  readonly source: AuditSource;
  readonly limit: number;
  readonly format: AuditFormat;
  /** Aborting it ends `follow`. */
  readonly signal?: AbortSignal;
  readonly follow: boolean;
  /** Default: the machine's. */
  readonly clock?: Pick<Clock, 'sleep'>;
}

/** Prints a line, or says on stderr what is wrong. */
export interface Printing {
  readonly print: (line: string) => void;
  readonly warn: (line: string) => void;
}

/** `behalf audit tail`: prints the newest records, and with `follow` new ones as they arrive. */
export async function auditTail(options: AuditTailOptions, { print, warn }: Printing): Promise<void> {
  const { format, source } = options;
  const show = (entry: LoggedEntry): void => print(formatRecord(entry, format));
  if ('databaseUrl' in source) await tailDatabase(source.databaseUrl, options, show);
  else await tailFile(source.file, options, show, warn);
}

async function tailDatabase(
  databaseUrl: string,
  { clock = systemClock, follow, limit, signal }: AuditTailOptions,
  show: (entry: LoggedEntry) => void,
): Promise<void> {
  const database = { max: 1, applicationName: 'behalf-audit-tail' };
  await withDatabase(databaseUrl, database, async (db: Kysely<AuditDatabase>) => {
    let records = await readAuditEntries(db, { limit });
    let after: StoredEntry | undefined;
    for (;;) {
      records.forEach(show);
      after = records.at(-1) ?? after;
      if (!follow || signal?.aborted === true) return;
      await clock.sleep(FOLLOW_INTERVAL_MS, signal);
      records = await readAuditEntries(db, after === undefined ? { limit } : { after, limit: MAX_BATCH });
    }
  });
}

async function tailFile(
  path: string,
  { clock = systemClock, follow, limit, signal }: AuditTailOptions,
  show: (entry: LoggedEntry) => void,
  warn: (line: string) => void,
): Promise<void> {
  const showEntry = (record: FileEntry): void => {
    if (record === undefined) warn(`${path}: a line is no record`);
    else show({ record });
  };
  await AuditFile.use(path, async (file) => {
    const end = await file.end();
    const newest: FileEntry[] = [];
    for await (const entry of file.backwards(end)) {
      newest.push(entry);
      if (newest.length === limit) break;
    }
    newest.reverse().forEach(showEntry);
    if (!follow) return;
    for await (const entry of file.follow(end, clock, signal)) showEntry(entry);
  });
}
