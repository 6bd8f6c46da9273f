import pg from 'pg';
import type { Clock } from '@behalf/directives';
import { every, systemClock } from '@behalf/directives/internal';
import { timeoutSettings } from '@behalf/store/internal';
import { BatchWriter } from './batch-writer.js';
import { checkSinkOptions } from './check-options.js';
import { AuditError } from './errors.js';
import { LogWatch } from './log-watch.js';
import { receiptOf } from './log/entry.js';
import { PseudonymSource } from './pseudonyms.js';
import type { AuditEntry, AuditSink, SubjectPseudonyms } from './record.js';
import { classOf, recordText } from './record-text.js';

/** The options of {@link PostgresAuditSink}. */
export interface PostgresSinkOptions {
  /** Connection string of the writer's role (see `createWriterRole`), which can only append. */
  readonly databaseUrl: string;
  /** The largest number of waiting records, 1 to 10,000,000. Default: 10,000. */
  readonly maxQueue?: number;
  /** How long a record is retried while the database cannot be written, in milliseconds: 0 to 600,000. Default: 5,000. */
  readonly maxWaitMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation): faults of a row's content. */
const FAULT_OF_ROW = /^2[23]/;
/** Class 42 (for instance, the function or its tables are gone) and a wrong password: waiting does not help. */
const GONE = /^(?:42|28|3D)/;

const APPEND = 'select * from audit.append($1::jsonb)';
const PSEUDONYMS = 'select subject, pseudonym from audit.pseudonyms($1::text[])';
/** The smallest record that the log takes. None is kept: it is written to learn whether one could be. */
const TRIAL_RECORD = JSON.stringify({
  class: 'access',
  transactionId: '00000000-0000-0000-0000-000000000000',
  outcome: 'refused',
});
/** How often the log is looked at while nothing is appended. */
const WATCH_MS = 500;
const STATEMENT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 2_000;

/**
 * Appends records to PostgreSQL, many in one call of `audit.append`, over one connection. It watches the log: when records that were
 * there disappear, it refuses every record from then on.
 *
 * `append` rejects with an {@link AuditError}: `AUDIT_QUEUE_FULL`, `AUDIT_WRITE_FAILED`, `AUDIT_RECORD_REFUSED`,
 * `AUDIT_LOG_BROKEN` or `AUDIT_CLOSED`.
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
  readonly #writer: BatchWriter<string, number>;
  readonly #pseudonyms: PseudonymSource;
  readonly #watch = new LogWatch();
  readonly #endWatching: () => void;

  /** @throws {AuditError} `AUDIT_OPTION_INVALID` */
  constructor(options: PostgresSinkOptions) {
    checkSinkOptions(options);
    const { databaseUrl, maxQueue, maxWaitMs, clock = systemClock } = options;
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
    // Nor may one that breaks in the middle of a check end the process: its next statement fails.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
    const batching = {
      isFaultOfItem: (error: unknown) => FAULT_OF_ROW.test(sqlState(error)),
      isFinal: (error: unknown) => error instanceof AuditError || GONE.test(sqlState(error)),
      maxWaitMs,
      maxQueue,
      clock,
    };
    this.#writer = new BatchWriter({
      ...batching,
      write: (texts) => this.#write(texts),
      bytesOf: (text) => Buffer.byteLength(text),
    });
    this.#pseudonyms = new PseudonymSource({ ...batching, ask: (subjects) => this.#ask(subjects) });
    this.#endWatching = every(clock, WATCH_MS, () => void this.#write([]).catch(() => undefined));
  }

  get lost(): number {
    return this.#writer.lost;
  }

  async append(entry: AuditEntry): Promise<string> {
    this.#watch.refuseBroken();
    const text = recordText(entry);
    const recordedMs = await this.#writer.append(text);
    return receiptOf(classOf(entry), recordedMs, text);
  }

  async pseudonymsOf(subjects: readonly string[]): Promise<SubjectPseudonyms> {
    return this.#pseudonyms.of(subjects);
  }

  /**
   * Appends a record, and takes it back, because only what writes learns whether the database accepts writes, and whether the
   * tables are there.
   *
   * @throws {AuditError}, or the driver's error
   */
  async check(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query('begin');
      await client.query(PSEUDONYMS, [[]]);
      await this.#write([TRIAL_RECORD], client);
      await client.query('rollback');
    } catch (error) {
      // Its transaction is open, or its state unknown.
      client.release(true);
      throw error;
    }
    client.release();
  }

  async close(): Promise<void> {
    this.#endWatching();
    await this.#pseudonyms.close();
    await this.#writer.close();
    await this.#pool.end();
  }

  async #ask(subjects: readonly string[]): Promise<SubjectPseudonyms> {
    const names = subjects.map((subject) => subject.toWellFormed().replaceAll('\0', '\uFFFD'));
    const { rows } = await this.#pool.query<{ subject: string; pseudonym: string }>(PSEUDONYMS, [names]);
    const known = new Map(rows.map(({ subject, pseudonym }) => [subject, pseudonym]));
    return new Map(
      subjects.flatMap((subject, index) => {
        const pseudonym = known.get(names[index] ?? '');
        return pseudonym === undefined ? [] : [[subject, pseudonym] as const];
      }),
    );
  }

  /** @returns when the database stored them, in milliseconds since the epoch. @throws {AuditError} if the log is broken */
  async #write(
    texts: readonly string[],
    connection: Pick<pg.ClientBase, 'query'> = this.#pool,
  ): Promise<number> {
    const { rows } = await connection.query<AppendResult>(APPEND, [JSON.stringify(texts)]);
    const [result] = rows;
    if (result === undefined) throw new AuditError('AUDIT_LOG_BROKEN');
    this.#watch.see({
      origin: result.log_origin,
      size: Number(result.log_size),
      root: result.log_root,
      isWhole: result.is_whole,
    });
    return Number(result.recorded_ms);
  }
}

interface AppendResult {
  readonly recorded_ms: string;
  readonly log_origin: string | null;
  /** Null if the log's tables were emptied. */
  readonly log_size: string | null;
  readonly log_root: Buffer | null;
  readonly is_whole: boolean | null;
}

function sqlState(error: unknown): string {
  return error instanceof pg.DatabaseError ? (error.code ?? '') : '';
}
