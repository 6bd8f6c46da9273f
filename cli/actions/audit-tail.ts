import type { Kysely } from 'kysely';
import { readAudit } from '@behalf/audit/postgres';
import type { AuditDatabase, StoredAuditRecord } from '@behalf/audit/postgres';
import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { printable } from '@behalf/gateway/printable';
import { withDatabase } from '../database.js';

const FOLLOW_INTERVAL_MS = 500;
const MAX_BATCH = 1_000;
/** Bounded here as well: an earlier version may have written longer texts. */
const MAX_TEXT_LENGTH = 200;
const MAX_COLUMN_WIDTH = 60;
const MAX_LINES = 1_000;

export interface AuditTailOptions {
  readonly databaseUrl: string;
  readonly limit: number;
  readonly json: boolean;
  /** Aborting it ends `follow`. */
  readonly signal?: AbortSignal;
  readonly follow: boolean;
  /** Default: the machine's. */
  readonly clock?: Pick<Clock, 'sleep'>;
}

/** `behalf audit tail`: prints the newest records, and with `follow` new ones as they arrive. */
export async function auditTail(options: AuditTailOptions, print: (line: string) => void): Promise<void> {
  const { databaseUrl, limit, clock = systemClock } = options;
  const database = { max: 1, applicationName: 'behalf-audit-tail' };
  await withDatabase(databaseUrl, database, async (db: Kysely<AuditDatabase>) => {
    let records = await readAudit(db, { limit });
    let seen = 0;
    for (;;) {
      for (const record of records) {
        print(options.json ? printable(JSON.stringify(record)) : describeRecord(record));
        seen = record.seq;
      }
      if (!options.follow || options.signal?.aborted === true) return;
      await clock.sleep(FOLLOW_INTERVAL_MS, options.signal);
      records = await readAudit(db, { afterSeq: seen, limit: MAX_BATCH });
    }
  });
}

/** One record as lines for people. Clients and subgraphs wrote its texts, so they are escaped. */
export function describeRecord(record: StoredAuditRecord): string {
  const head = [
    `#${record.seq}`,
    record.occurred_at.toISOString(),
    text(record.outcome) + (record.reason === null ? '' : ` (${text(record.reason)})`),
    text(record.operation_name ?? '(unnamed operation)'),
    callerOf(record),
  ].join('  ');
  const listed = record.fields.slice(0, MAX_LINES);
  const width = Math.min(
    MAX_COLUMN_WIDTH,
    Math.max(0, ...listed.map(({ coordinate }) => text(coordinate).length)),
  );
  const more = record.fields.length - listed.length;
  return [
    head,
    ...listed.map((access) => accessLine(access, width)),
    ...(more === 0 ? [] : [`    … and ${more} more`]),
    ...(record.unaccounted ?? []).map((subgraph) => `    NO COMPLETE ACCOUNT from ${text(subgraph)}`),
  ].join('\n');
}

function callerOf(record: StoredAuditRecord): string {
  if (record.client_id === null) return 'without a valid token';
  const subject = record.subject_pseudonym?.slice(0, 12) ?? '?';
  const purposes = (record.purposes ?? []).map(text).join(', ');
  const consent =
    record.consent_id === null
      ? ''
      : `, consent ${text(record.consent_id)} v${record.consent_version ?? '?'} (${purposes})`;
  return `${text(record.client_id)} for subject ${text(subject)}…${consent}`;
}

function accessLine(access: StoredAuditRecord['fields'][number], width: number): string {
  const { coordinate, decision, count, strategy, rule, subgraph } = access;
  return [
    `    ${text(coordinate).padEnd(width)}`,
    `${text(String(count))}×`.padStart(5),
    (text(decision) + (strategy === undefined ? '' : ` ${text(strategy)}`)).padEnd(20),
    text(subgraph ?? 'gateway').padEnd(10),
    text(rule ?? ''),
  ]
    .join('  ')
    .trimEnd();
}

function text(value: string): string {
  return printable(value, MAX_TEXT_LENGTH);
}
