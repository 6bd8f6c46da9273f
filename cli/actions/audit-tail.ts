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
/** A gateway's append is committed or given up within this time. */
const LOOK_BACK_MS = 10_000;
/** More than arrive in that time. Beyond it, one would be shown twice. */
const MAX_SEEN = 1_000_000;

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
    const newest = await readAuditEntries(db, { limit });
    newest.forEach(show);
    if (!follow) return;
    const follower = new Follower(db, newest.at(-1));
    while (signal?.aborted !== true) {
      for await (const entry of follower.news()) show(entry);
      await clock.sleep(FOLLOW_INTERVAL_MS, signal);
    }
  });
}

/**
 * Finds records as they become visible. A record has its time and number before it is committed, so one may appear behind others
 * that were shown already: the last moments are read again each time.
 */
class Follower {
  readonly #db: Kysely<AuditDatabase>;
  /** What was visible at the beginning is not news. */
  readonly #last: StoredEntry | undefined;
  #newestMs: number;
  /** When those of the last moments were stored, by number. */
  readonly #seen = new Map<number, number>();
  #isFirst = true;

  constructor(db: Kysely<AuditDatabase>, last: StoredEntry | undefined) {
    this.#db = db;
    this.#last = last;
    const lastMs = Number(last?.recordedAt ?? 0);
    this.#newestMs = Number.isFinite(lastMs) ? lastMs : 0;
  }

  async *news(): AsyncGenerator<StoredEntry> {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    let after = { recordedAt: new Date(Math.max(0, this.#newestMs - LOOK_BACK_MS)), seq: 0 };
    for (;;) {
      const entries = await readAuditEntries(this.#db, { after, limit: MAX_BATCH });
      for (const entry of entries) {
        const { recordedAt, seq } = entry;
        if (this.#seen.has(seq)) continue;
        const storedMs = Number(recordedAt);
        this.#see(seq, storedMs);
        // A time that somebody moved to the end of all times would hide what follows.
        if (Number.isFinite(storedMs)) this.#newestMs = Math.max(this.#newestMs, storedMs);
        if (!isFirst || this.#isAfterBeginning(entry)) yield entry;
      }
      const last = entries.at(-1);
      if (last === undefined || entries.length < MAX_BATCH) break;
      after = last;
    }
    for (const [seq, storedMs] of this.#seen)
      if (storedMs < this.#newestMs - LOOK_BACK_MS) this.#seen.delete(seq);
  }

  #see(seq: number, storedMs: number): void {
    this.#seen.set(seq, storedMs);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_SEEN && oldest !== undefined) this.#seen.delete(oldest);
  }

  #isAfterBeginning({ recordedAt, seq }: StoredEntry): boolean {
    if (this.#last === undefined) return true;
    const ms = Number(recordedAt) - Number(this.#last.recordedAt);
    return ms === 0 ? seq > this.#last.seq : ms > 0;
  }
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
