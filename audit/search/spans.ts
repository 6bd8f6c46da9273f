import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { systemClock, withoutUndefined } from '@behalf/directives/internal';
import type { AuditDatabase } from '../schema.js';
import { within } from './candidates.js';
import type { Plan, Span } from './candidates.js';
import type { Position } from './cursor.js';
import type { AuditFilter } from './filter.js';

/**
 * A search looks at short spans first, because PostgreSQL would ask every day's partition for its newest record before it returned
 * any. Each span is four times as long as the one before, so that a log without traffic takes few queries.
 */
const FIRST_SPAN_MS = 3_600_000;
const SPAN_GROWTH = 4;
/** The span after that has no end. */
const LONGEST_REACH_MS = 3 * 365 * 86_400_000;
/** The first span of a search by an index without order: all that it finds in a span is read, so the span must not hold much. */
const FIRST_SPAN_RECORDS = 256;
/** How far such a search by several indexes reaches in one call: each may find many records, and few that all of them find. */
const MAX_SPAN_RECORDS = 1_000_000;

/** Which spans of time one call looks at. */
export interface Reach {
  readonly newestMs: number;
  readonly firstLengthMs: number;
  /** The call ends with the span that reaches so far back, and another one goes on. */
  readonly limitMs: number;
}

/** How far a call of a search reaches back. */
export async function reachOf(
  db: Kysely<AuditDatabase>,
  plan: Plan,
  filter: AuditFilter,
  after: Position | undefined,
): Promise<Reach> {
  if (!plan.isOrdered) return reachOfRecords(db, plan, filter, after);
  const newest = after?.recordedAt ?? filter.until;
  const newestMs = newest?.getTime() ?? systemClock.now();
  return { newestMs, firstLengthMs: FIRST_SPAN_MS, limitMs: Infinity };
}

/** As far as some records reach back, however many there are in an hour. */
async function reachOfRecords(
  db: Kysely<AuditDatabase>,
  { isExact }: Plan,
  { from, until }: AuditFilter,
  after: Position | undefined,
): Promise<Reach> {
  const span = withoutUndefined({ since: from, before: after === undefined ? until : undefined, after });
  const { rows } = await sql<{ first: Date | null; last: Date | null; count: number }>`
    select min(recorded_at) as first, max(recorded_at) as last, count(*) from (
      select recorded_at from audit.record as record where ${within('record', span)}
      order by recorded_at desc, seq desc limit ${FIRST_SPAN_RECORDS}
    ) as newest`.execute(db);
  const { count = 0, first = null, last = null } = rows[0] ?? {};
  if (first === null || last === null || count < FIRST_SPAN_RECORDS) {
    // All in one span.
    return { newestMs: 0, firstLengthMs: Infinity, limitMs: Infinity };
  }
  const lengthMs = Math.max(1, last.getTime() - first.getTime());
  const limitMs = isExact ? Infinity : (lengthMs * MAX_SPAN_RECORDS) / FIRST_SPAN_RECORDS;
  return { newestMs: last.getTime(), firstLengthMs: lengthMs, limitMs };
}

/** The spans of time that a search looks at, from its newest end to its oldest, without gaps. */
export function* spansOf(
  { from, until }: AuditFilter,
  after: Position | undefined,
  { firstLengthMs, newestMs }: Reach,
): Generator<Span> {
  let before = after === undefined ? until : undefined;
  let lengthMs = firstLengthMs;
  for (let reachMs = lengthMs; reachMs < LONGEST_REACH_MS; reachMs += lengthMs) {
    const since = new Date(newestMs - reachMs);
    if (from !== undefined && since <= from) break;
    yield withoutUndefined({ since, before, after });
    before = since;
    lengthMs *= SPAN_GROWTH;
  }
  yield withoutUndefined({ since: from, before, after });
}

/** The end of a span, if the call ends with it, and older records are left. */
export function endOf({ since }: Span, { from }: AuditFilter, reach: Reach): Position | undefined {
  if (since === undefined || since === from || reach.newestMs - since.getTime() < reach.limitMs)
    return undefined;
  // Before every record of that time: this span had those.
  return { recordedAt: since, seq: 0 };
}
