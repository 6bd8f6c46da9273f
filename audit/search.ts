import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { withoutUndefined } from '@behalf/directives/internal';
import { readStoredEntry } from './read-entry.js';
import type { AuditEntry } from './record.js';
import type { AuditDatabase } from './schema.js';
import { planOf } from './search/candidates.js';
import type { Plan, Span } from './search/candidates.js';
import { decodeCursor, encodeCursor } from './search/cursor.js';
import type { Position } from './search/cursor.js';
import { checkFilter, searchRefused } from './search/filter.js';
import type { AuditFilter } from './search/filter.js';
import { endOf, reachOf, spansOf } from './search/spans.js';
import type { StoredAuditRecord } from './store.js';

/**
 * Most records of one page.
 *
 * @example
 * ```ts
 * import { MAX_AUDIT_PAGE } from '@behalf/audit/postgres';
 *
 * console.log(`at most ${MAX_AUDIT_PAGE} records`);
 * ```
 */
export const MAX_AUDIT_PAGE = 100;
/** Most candidates of one span that are looked at: a filter that matches few of them must not read the log in one call. */
const MAX_EXAMINED = 2_000;

/** How much of a search is read at once. */
export interface AuditPageOptions {
  /** Most records of the page, 1 to 100. */
  readonly first: number;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
}

/** A page of a search. */
export interface AuditPage {
  /** The newest first. May be fewer than were asked for, or none, and the search still goes on. */
  readonly records: readonly StoredAuditRecord<AuditEntry>[];
  /** Continues the search. Absent: this is its end. */
  readonly next?: string;
}

interface Row {
  readonly seq: number;
  readonly recordedAt: Date;
  readonly occurredAt: Date;
  readonly isClockOff: boolean;
  /** Null if the record is gone. */
  readonly content: string | null;
  readonly logIndex: number | null;
}

/**
 * Searches the log, the newest records first. A call reads little more than it returns if one member of the filter finds it. If
 * several are needed, it looks at a bounded number of records that match one of them; then the page ends early, and `next`
 * continues where the search stopped.
 *
 * @throws {AuditError} `AUDIT_SEARCH_REFUSED` when the filter, `first` or `after` cannot be used
 *
 * @example
 * ```ts
 * import { type AuditDatabase, searchAudit } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://auditor@db.example/behalf');
 * const filter = { client: 'budget-app', coordinate: 'Customer.taxId' };
 * let after: string | undefined;
 * do {
 *   const { next, records } = await searchAudit(db, filter, { first: 50, after });
 *   for (const { occurredAt, record } of records) console.log(occurredAt.toISOString(), record.transactionId);
 *   after = next;
 * } while (after !== undefined);
 * await db.destroy();
 * ```
 */
export async function searchAudit(
  db: Kysely<AuditDatabase>,
  filter: AuditFilter,
  { after, first }: AuditPageOptions,
): Promise<AuditPage> {
  checkFilter(filter);
  if (!Number.isInteger(first) || first < 1 || first > MAX_AUDIT_PAGE) {
    throw searchRefused(`"first" must be from 1 to ${MAX_AUDIT_PAGE}`);
  }
  const start = after === undefined ? undefined : decodeCursor(after, filter);
  // One more tells whether there is a next page.
  const { rows, stop } = await readRows(db, filter, start, first + 1);
  const page = rows.slice(0, first);
  const last = rows.length > first ? page.at(-1) : stop;
  return withoutUndefined({
    records: page.flatMap(storedRecord),
    next: last && encodeCursor(last, filter),
  });
}

/** @returns at most so many rows, and where the call stopped if there were fewer, but older records are left */
async function readRows(
  db: Kysely<AuditDatabase>,
  filter: AuditFilter,
  start: Position | undefined,
  count: number,
): Promise<{ readonly rows: readonly Row[]; readonly stop?: Position | undefined }> {
  const plan = planOf(filter);
  const reach = await reachOf(db, plan, filter, start);
  const rows: Row[] = [];
  for (const span of spansOf(filter, start, reach)) {
    rows.push(...(await readSpan(db, plan, span, count - rows.length)));
    if (rows.length === count) break;
    const examined = plan.rest === undefined ? undefined : await lastExamined(db, plan, span);
    const stop = examined ?? endOf(span, filter, reach);
    if (stop !== undefined) return { rows, stop };
  }
  return { rows };
}

async function readSpan(
  db: Kysely<AuditDatabase>,
  { candidates, rest }: Plan,
  span: Span,
  wanted: number,
): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select page.seq, page.recorded_at as "recordedAt", page.occurred_at as "occurredAt",
      page.clock_off is true as "isClockOff", page.content, leaf.log_index as "logIndex"
    from (
      select * from (${candidates(span, rest === undefined ? wanted : MAX_EXAMINED)}) as candidate
      where ${rest ?? sql`true`}
      order by recorded_at desc, seq desc limit ${wanted}
    ) as page left join audit.leaf as leaf on leaf.seq = page.seq
    order by page.recorded_at desc, page.seq desc`.execute(db);
  return rows;
}

/** Where the search of a span stopped, if it has more candidates than are looked at. */
async function lastExamined(
  db: Kysely<AuditDatabase>,
  { candidates }: Plan,
  span: Span,
): Promise<Position | undefined> {
  const { rows } = await sql<Position>`
    select recorded_at as "recordedAt", seq from (${candidates(span, MAX_EXAMINED)}) as candidate
    order by recorded_at desc, seq desc offset ${MAX_EXAMINED - 1}`.execute(db);
  return rows[0];
}

function storedRecord({ content, logIndex, ...row }: Row): StoredAuditRecord<AuditEntry>[] {
  if (content === null) return [];
  const record = readStoredEntry(content, row.recordedAt);
  return [{ ...row, record, ...withoutUndefined({ logIndex: logIndex ?? undefined }) }];
}
