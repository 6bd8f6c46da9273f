import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { readAudit } from '../audit/index.js';
import type { AuditDatabase, StoredAuditRecord } from '../audit/index.js';
import { withDatabase } from './database.js';

const FOLLOW_INTERVAL_MS = 500;

export interface AuditTailOptions {
  readonly databaseUrl: string;
  readonly limit: number;
  readonly json: boolean;
  /** Ends following. */
  readonly signal?: AbortSignal;
  readonly follow: boolean;
}

/** `behalf audit tail`: prints the newest records, and with `follow` those that come. */
export async function auditTail(options: AuditTailOptions, print: (line: string) => void): Promise<void> {
  const { databaseUrl, limit } = options;
  const database = { max: 1, applicationName: 'behalf-audit-tail' };
  await withDatabase(databaseUrl, database, async (db: Kysely<AuditDatabase>) => {
    let records = await readAudit(db, { limit });
    let seen = 0;
    for (;;) {
      for (const record of records) {
        print(options.json ? JSON.stringify(record) : describeRecord(record));
        seen = record.seq;
      }
      if (!options.follow || options.signal?.aborted === true) return;
      await sleep(
        FOLLOW_INTERVAL_MS,
        undefined,
        options.signal === undefined ? {} : { signal: options.signal },
      ).catch(() => undefined);
      records = await readAudit(db, { afterSeq: seen, limit: 1_000 });
    }
  });
}

/** One record in lines for people. */
export function describeRecord(record: StoredAuditRecord): string {
  const caller =
    record.client_id === null
      ? 'without a valid token'
      : `${record.client_id} for subject ${record.subject_pseudonym?.slice(0, 12) ?? '?'}…` +
        (record.consent_id === null
          ? ''
          : `, consent ${record.consent_id} v${record.consent_version ?? '?'} (${(record.purposes ?? []).join(', ')})`);
  const head = [
    `#${record.seq}`,
    record.occurred_at.toISOString(),
    record.outcome + (record.reason === null ? '' : ` (${record.reason})`),
    record.operation_name ?? '(unnamed operation)',
    caller,
  ].join('  ');
  const width = Math.max(0, ...record.fields.map(({ coordinate }) => coordinate.length));
  const fields = record.fields.map(({ coordinate, decision, count, strategy, rule, subgraph }) =>
    [
      `    ${coordinate.padEnd(width)}`,
      `${count}×`.padStart(5),
      (decision + (strategy === undefined ? '' : ` ${strategy}`)).padEnd(20),
      (subgraph ?? 'gateway').padEnd(10),
      rule ?? '',
    ]
      .join('  ')
      .trimEnd(),
  );
  return [head, ...fields].join('\n');
}
