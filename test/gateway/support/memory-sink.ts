import type { AuditEntry, AuditRecord, AuditSink } from '@behalf/audit';

/** An audit sink that keeps the records of requests in memory. */
export class MemorySink implements AuditSink {
  readonly records: AuditRecord[] = [];
  readonly lost = 0;

  async append(entry: AuditEntry): Promise<undefined> {
    if (!('event' in entry)) this.records.push(entry);
  }

  async close(): Promise<void> {
    // There is nothing to close.
  }
}
