import type { ColumnType, Generated } from 'kysely';

import type { ChangeCaller } from './change-request.js';

/** What an event concerns, by identifiers and numbers. */
export type EventFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Events that the audit log does not have yet; written by `authority.record_events` alone. */
export interface AuditOutboxTable {
  readonly id: Generated<number>;
  readonly event_id: string;
  readonly event: string;
  readonly occurred_at: Date;
  readonly transaction_id: string;
  readonly trace_id: string | null;
  readonly caller: ChangeCaller;
  readonly operator: string | null;
  readonly reason: string | null;
  readonly subjects: string[];
  readonly details: EventFacts | null;
}

/** One row: whether events are recorded. */
export interface AuditRecordingTable {
  is_on: boolean;
  /** When an authority that relays them was last heard of. */
  relayed_at: ColumnType<Date, Date, Date>;
  /** How many events were lost, as far as the audit log knows. */
  lost_told: number;
}
