import type { AuditEventName } from './event.js';
import type { AuditOutcome } from './record.js';

/** The table `audit.record` for kysely. */
export interface RecordTable {
  /** By the database's clock, which no writer controls. */
  readonly recorded_at: Date;
  /** In the order of arrival, nearly: those that arrive at the same time may be stored the other way round. */
  readonly seq: number;
  readonly class: string;
  /** The record as it was hashed, as JSON. */
  readonly content: string;
  /** By the gateway's clock, or `recorded_at` if that was too far off. */
  readonly occurred_at: Date;
  /** True if the gateway's time was not accepted. */
  readonly clock_off: boolean | null;
  readonly transaction_id: string;
  readonly outcome: AuditOutcome | null;
  readonly event: AuditEventName | null;
  readonly subject_pseudonym: string | null;
  readonly client_id: string | null;
  readonly actor: string | null;
  readonly coordinates: string[];
}

/** Whom each record is about, by pseudonym. */
export interface RecordSubjectTable {
  readonly pseudonym: string;
  readonly recorded_at: Date;
  readonly seq: number;
}

/** Entries that are durable, but not in the tree yet. */
export interface PendingTable {
  readonly seq: number;
  readonly recorded_at: Date;
  readonly class: string;
  /** SHA-256 of the record's text. */
  readonly content_hash: Buffer;
}

/** The entries of the log. */
export interface LeafTable extends PendingTable {
  readonly log_index: number;
}

/** The tree's tiles, whole and growing. */
export interface TileTable {
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
}

/** One row: the tree as it is integrated. */
export interface HeadTable {
  /** Null until a sequencer has begun the log. */
  readonly origin: string | null;
  /** Whether checkpoints count only with the quorum of witnesses. */
  readonly needs_witnesses: boolean;
  readonly size: number;
  readonly root: Buffer;
}

/** Heads that were signed. */
export interface CheckpointTable {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
  /** Whether the quorum of witnesses cosigned it. */
  readonly is_witnessed: boolean;
  readonly signed_at: Date;
}

/** The audit log's part of a database, for kysely: `openDatabase<AuditDatabase>(url)`. */
export interface AuditDatabase {
  readonly 'audit.record': RecordTable;
  readonly 'audit.record_subject': RecordSubjectTable;
  readonly 'audit.pending': PendingTable;
  readonly 'audit.leaf': LeafTable;
  readonly 'audit.tile': TileTable;
  readonly 'audit.head': HeadTable;
  readonly 'audit.checkpoint': CheckpointTable;
}
