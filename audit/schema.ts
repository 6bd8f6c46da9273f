import type { Generated } from 'kysely';
import type { AuditOutcome, AuditRecord } from './record.js';

/** The table `audit.record` for kysely. */
export interface RecordTable {
  /** Position in the log. */
  readonly seq: Generated<number>;
  readonly transaction_id: string;
  readonly trace_id: string | null;
  /** By the gateway's clock, or `recorded_at` if that was too far off. */
  readonly occurred_at: Date;
  /** By the database's clock, which no writer controls. */
  readonly recorded_at: Generated<Date>;
  /** True if the gateway's time was not accepted. */
  readonly clock_off: boolean | null;
  readonly outcome: AuditOutcome;
  readonly reason: string | null;
  readonly subject_pseudonym: string | null;
  readonly client_id: string | null;
  readonly actor: string | null;
  readonly consent_id: string | null;
  readonly consent_version: number | null;
  readonly purposes: string[] | null;
  readonly operation_name: string | null;
  readonly operation_hash: string | null;
  readonly source: string | null;
  readonly fields: AuditRecord['fields'];
  readonly service: boolean | null;
  readonly passed_on_by: string | null;
  readonly passed_on_to: string | null;
  readonly trace_link: string | null;
  readonly unaccounted: string[] | null;
}

/** The audit log's part of a database, for kysely: `openDatabase<AuditDatabase>(url)`. */
export interface AuditDatabase {
  readonly 'audit.record': RecordTable;
}
