import { sql } from 'kysely';
import { parsePolicy, verifyLog } from '@behalf/audit-verify';
import type { LogReport, Policy } from '@behalf/audit-verify';
import { DatabaseSource, Sequencer, verifierKey } from '../../../audit/log/index.js';
import type { NoteKey, SequencerOptions } from '../../../audit/log/index.js';
import { createWriterRole, PostgresAuditSink, writerUrl } from '../../../audit/postgres.js';
import type { AuditDatabase } from '../../../audit/postgres.js';
import { createAuditDatabase } from '../../support/audit-database.js';
import type { TestDatabase } from '../../support/database.js';
import { makeKey, ORIGIN } from '../../audit-verify/support.js';
import { record } from '../support.js';

export { makeKey as makeLogKey, ORIGIN };

/** A log in a database of its own, with a writer as gateways have. */
export class TestLog {
  readonly faults: string[] = [];
  readonly #sequencers: Sequencer[] = [];

  private constructor(
    readonly database: TestDatabase<AuditDatabase>,
    readonly writerUrl: string,
    readonly sink: PostgresAuditSink,
    readonly key: NoteKey,
  ) {}

  static async create(role: string): Promise<TestLog> {
    const database = await createAuditDatabase();
    await createWriterRole(database.db, role, role);
    const url = writerUrl(database.url, role, role);
    return new TestLog(database, url, new PostgresAuditSink({ databaseUrl: url }), makeKey());
  }

  get policy(): Policy {
    return parsePolicy(`log ${verifierKey(this.key)}\nquorum none\n`);
  }

  sequencer(more: Partial<SequencerOptions> = {}): Sequencer {
    const log = { log: (_level: string, code: string) => void this.faults.push(code) };
    const sequencer = new Sequencer({
      db: this.database.db,
      keys: [this.key],
      log,
      // The lease is over at once, so that the next one need not wait.
      leaseMs: -1,
      ...more,
    });
    this.#sequencers.push(sequencer);
    return sequencer;
  }

  /** Appends so many records, and integrates them. @returns their transactions and receipts */
  async append(count: number): Promise<{ readonly transactionId: string; readonly receipt: string }[]> {
    const records = Array.from({ length: count }, () => record());
    const receipts = await Promise.all(records.map((each) => this.sink.append(each)));
    await this.sequencer().round();
    return records.map(({ transactionId }, at) => ({ transactionId, receipt: receipts[at] ?? '' }));
  }

  verify(seen: readonly string[] = [], maxFindings?: number): Promise<LogReport> {
    const options = maxFindings === undefined ? { seen } : { seen, maxFindings };
    return verifyLog(new DatabaseSource(this.database.db), this.policy, options);
  }

  async run(statement: string): Promise<void> {
    await sql.raw(statement).execute(this.database.db);
  }

  async drop(): Promise<void> {
    await this.sink.close().catch(() => undefined);
    for (const sequencer of this.#sequencers) await sequencer.close();
    const { username } = new URL(this.writerUrl);
    await sql`drop owned by ${sql.id(username)}`.execute(this.database.db);
    await sql`drop role ${sql.id(username)}`.execute(this.database.db);
    await this.database.drop();
  }
}
