import type { FieldAccess } from '@behalf/directives/internal';

/** What a record tells of the caller; every part is absent for a request without a valid token. */
export interface AuditCaller {
  /** Keyed pseudonym of the subject (HMAC-SHA-256, base64url): never the identifier itself. */
  readonly subjectPseudonym?: string;
  /** No person stands behind the call: the client acted for itself. There is then no pseudonym. */
  readonly service?: true;
  readonly clientId?: string;
  /** The current actor's identifier (RFC 8693 `act.sub`). */
  readonly actor?: string;
  readonly consentId?: string;
  readonly consentVersion?: number;
  readonly purposes?: readonly string[];
}

export type AuditOutcome =
  /** Data went out, some of it perhaps denied. */
  | 'answered'
  /** An administrator was told what would be decided on the operation; nothing of it was executed. */
  | 'explained'
  /** The token was refused before anything was decided. */
  | 'authentication-failed'
  /** A workload was given a transaction token to pass the transaction on with. */
  | 'passed-on'
  /** The operation was refused as a whole. */
  | 'refused'
  /** It could not be carried out. */
  | 'failed';

/** What happened at one coordinate, in one subgraph or, without one, at the gateway. */
export interface AuditedAccess extends FieldAccess {
  readonly subgraph?: string;
}

/** One request. Never holds a value, an argument, a variable or a token. */
export interface AuditRecord {
  /** Transaction id (`txn` of the transaction tokens). */
  readonly transactionId: string;
  /** Of the gateway's own choice, 32 hex digits: the W3C trace id, unless the client brought one. */
  readonly traceId?: string;
  /** W3C trace id that the request came with, 32 hex digits: the spans of the request are in that trace. */
  readonly traceLink?: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly outcome: AuditOutcome;
  /** The stable error code behind an outcome other than `answered`. */
  readonly reason?: string;
  readonly caller: AuditCaller;
  /** Who asked for a transaction token to pass the transaction on with, and for which audience. */
  readonly passedOn?: { readonly by: string; readonly to: string };
  /** As the client named it, where it is short and plain; else a keyed hash (`hmac-sha256:` and 64 hex digits). */
  readonly operationName?: string;
  /** Keyed hash (HMAC-SHA-256) of the SHA-256, hex, of the operation as the client sent it: equal texts are equal. */
  readonly operationHash?: string;
  /** Address the request came from, truncated to /24 or /48. */
  readonly source?: string;
  readonly fields: readonly AuditedAccess[];
  /**
   * Subgraphs that were asked for the caller and of which `fields` does not tell all: they gave no account, or one that was
   * not believed. Absent when the record is complete.
   */
  readonly unaccounted?: readonly string[];
}

/** Where records go. */
export interface AuditSink {
  /**
   * Takes a record.
   *
   * The promise settles when the record is durable (`required` mode waits for it); it rejects with an
   * {@link AuditError} when it cannot be made durable. `best-effort` callers do not wait: what is lost is
   * counted in {@link lost}.
   */
  append(record: AuditRecord): Promise<void>;
  /** How many records could not be kept since the start. */
  readonly lost: number;
  /** Writes what is queued, then lets go of connections. */
  close(): Promise<void>;
}
