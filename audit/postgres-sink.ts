import pg from 'pg';
import type { Clock } from '@behalf/directives';
import { timeoutSettings } from '@behalf/store/internal';
import { BatchWriter } from './batch-writer.js';
import type { APPENDED_COLUMNS } from './columns.js';
import type { AuditRecord, AuditSink } from './record.js';

/** The options of {@link PostgresAuditSink}. */
export interface PostgresSinkOptions {
  /** Connection string of the writer's role (see `createWriterRole`), which can only append. */
  readonly databaseUrl: string;
  /** The largest number of waiting records. Default: 10,000. */
  readonly maxQueue?: number;
  /** How long a record is retried while the database cannot be written, in milliseconds. Default: 5,000. */
  readonly maxWaitMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation): faults of a row's content. */
const FAULT_OF_ROW = /^2[23]/;
/** What PostgreSQL's text cannot hold, as JSON escapes it: NUL, and lone surrogates. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/i;

const APPEND = 'select audit.append($1::jsonb)';
const STATEMENT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 2_000;

/**
 * Appends records to PostgreSQL, many in one call of `audit.append`, over one connection.
 *
 * `append` rejects with an {@link AuditError}: `AUDIT_QUEUE_FULL`, `AUDIT_WRITE_FAILED`, `AUDIT_RECORD_REFUSED` or `AUDIT_CLOSED`.
 *
 * @example
 * ```ts
 * import { PostgresAuditSink } from '@behalf/audit/postgres';
 * import type { ProtectionOptions } from '@behalf/gateway';
 *
 * const sink = new PostgresAuditSink({ databaseUrl: process.env.AUDIT_DATABASE_URL ?? '' });
 * export const audit: ProtectionOptions['audit'] = { mode: 'required', sink };
 * // When the gateway has stopped:
 * await sink.close();
 * ```
 */
export class PostgresAuditSink implements AuditSink {
  readonly #pool: pg.Pool;
  /** Takes records as JSON, so that each is serialized once. */
  readonly #writer: BatchWriter<string>;

  constructor({ databaseUrl, maxQueue, maxWaitMs, clock }: PostgresSinkOptions) {
    this.#pool = new pg.Pool({
      connectionString: databaseUrl,
      max: 1,
      application_name: 'behalf-audit-writer',
      connectionTimeoutMillis: 2_000,
      query_timeout: STATEMENT_TIMEOUT_MS,
      ...timeoutSettings({ statementTimeoutMs: STATEMENT_TIMEOUT_MS, lockTimeoutMs: LOCK_TIMEOUT_MS }),
    });
    // The next write replaces a connection that broke while idle, and reports when it cannot.
    this.#pool.on('error', () => undefined);
    this.#writer = new BatchWriter({
      write: async (records) => {
        await this.#pool.query(APPEND, [`[${records.join(',')}]`]);
      },
      bytesOf: (json) => Buffer.byteLength(json),
      isFaultOfItem: (error) => error instanceof pg.DatabaseError && FAULT_OF_ROW.test(error.code ?? ''),
      maxWaitMs,
      maxQueue,
      clock,
    });
  }

  get lost(): number {
    return this.#writer.lost;
  }

  async append(record: AuditRecord): Promise<void> {
    return this.#writer.append(toJson(toRow(record)));
  }

  /** Appends no record, which needs the same connection and right as one. @throws the driver's error */
  async check(): Promise<void> {
    await this.#pool.query(APPEND, ['[]']);
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#pool.end();
  }
}

/** Typed, so that a new column must be filled. `time` becomes `occurred_at` if the database accepts it. */
type Row = Readonly<Record<keyof typeof APPENDED_COLUMNS | 'time', unknown>>;

function toRow(record: AuditRecord): Row {
  const { caller } = record;
  return {
    transaction_id: record.transactionId,
    trace_id: record.traceId,
    time: record.time,
    outcome: record.outcome,
    reason: record.reason,
    subject_pseudonym: caller.subjectPseudonym,
    client_id: caller.clientId,
    actor: caller.actor,
    consent_id: caller.consentId,
    consent_version: caller.consentVersion,
    purposes: caller.purposes,
    operation_name: record.operationName,
    operation_hash: record.operationHash,
    source: record.source,
    fields: record.fields,
    service: caller.service,
    passed_on_by: record.passedOn?.by,
    passed_on_to: record.passedOn?.to,
    trace_link: record.traceLink,
    unaccounted: record.unaccounted,
  };
}

/** A caller must not escape the log by using a name that it cannot store. */
function toJson(row: Row): string {
  const json = JSON.stringify(row);
  if (!UNSTORABLE.test(json)) return json;
  return JSON.stringify(row, (_key, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value,
  );
}
