import { type Selectable, sql } from 'kysely';

import { PostgresAuditSink } from '@behalf/audit/postgres';
import type { AuditEvent } from '@behalf/audit';
import type { AuditOutboxTable } from '../../../authority/audit-schema.js';
import { beginRecording } from '../../../authority/audit/recording.js';
import { AuditRelay, type AuditRelayOptions } from '../../../authority/audit/relay.js';
import { ChangeFeed } from '../../../authority/changes/feed.js';
import type { AuthorityDatabase, AuthoritySchema } from '../../../authority/schema.js';
import { TestLog as TestAuditLog } from '../../audit/log/support.js';
import { TestLog } from '../../gateway/support.js';
import { createAuthorityDatabase } from '../../support/authority-database.js';
import { ManualClock } from '../../support/manual-clock.js';
import type { TestDatabase } from '../../support/database.js';

export type OutboxRow = Selectable<AuditOutboxTable>;

/** Events that wait, in order. */
export async function waiting(db: AuthorityDatabase): Promise<OutboxRow[]> {
  return db.selectFrom('authority.audit_outbox').selectAll().orderBy('id').execute();
}

/** The events in a log, in order. */
export async function readLog(log: TestAuditLog): Promise<AuditEvent[]> {
  const { rows } = await sql<{ content: string }>`
    select content from audit.record where event is not null order by recorded_at, seq`.execute(
    log.database.db,
  );
  return rows.map(({ content }) => JSON.parse(content) as AuditEvent);
}

/** An authority's store that records events, and the audit log in a database of its own. */
export class TestEvents {
  readonly log = new TestLog();
  readonly clock = ManualClock.running();
  readonly #opened: (() => Promise<void>)[] = [];

  private constructor(
    readonly store: TestDatabase<AuthoritySchema>,
    readonly auditLog: TestAuditLog,
  ) {}

  static async create(role: string): Promise<TestEvents> {
    const events = new TestEvents(await createAuthorityDatabase(), await TestAuditLog.create(role));
    await beginRecording(events.store.db);
    return events;
  }

  get db(): AuthorityDatabase {
    return this.store.db;
  }

  /** An instance of the authority that passes events on. @param wrap changes its sink */
  async relay(
    wrap: (sink: PostgresAuditSink) => AuditRelayOptions['sink'] = (sink) => sink,
  ): Promise<AuditRelay> {
    const { clock, log, store } = this;
    const sink = new PostgresAuditSink({ databaseUrl: this.auditLog.writerUrl, maxWaitMs: 0 });
    const feed = new ChangeFeed(store.url, log, 'audit', clock);
    await feed.open();
    const relay = new AuditRelay({ db: store.db, sink: wrap(sink), feed, log, clock });
    this.#opened.push(async () => {
      await relay.close();
      await feed.close();
    });
    return relay;
  }

  async endRelays(): Promise<void> {
    for (const end of this.#opened.splice(0)) await end();
  }

  async recorded(): Promise<AuditEvent[]> {
    return readLog(this.auditLog);
  }

  async drop(): Promise<void> {
    await this.endRelays();
    await this.auditLog.database.setReachable(true);
    await this.auditLog.drop();
    await this.store.drop();
  }
}
