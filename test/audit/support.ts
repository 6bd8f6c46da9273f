import type { AuditRecord } from '../../audit/index.js';

export function record(more: Partial<AuditRecord> = {}): AuditRecord {
  return {
    transactionId: crypto.randomUUID(),
    time: Date.now(),
    outcome: 'answered',
    caller: {},
    fields: [],
    ...more,
  };
}
