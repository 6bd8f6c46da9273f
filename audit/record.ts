import type { FieldAccess } from '@behalf/directives/internal';
import type { AuditCaller } from './caller.js';
import type { AuditEvent } from './event.js';

/** How a request ended. The values are stable. */
export type AuditOutcome =
  /** Data was returned, some of it possibly denied. */
  | 'answered'
  /** A mutation is about to run. Another record of the same transaction says how it ended; without one, nobody knows. */
  | 'intended'
  /** An administrator asked what would be decided about an operation; nothing was executed. */
  | 'explained'
  /** The token was refused before anything was decided. */
  | 'authentication-failed'
  /** A workload exchanged its transaction token for one of another audience. */
  | 'passed-on'
  /** The operation was refused as a whole. */
  | 'refused'
  /** The operation failed. */
  | 'failed';

/**
 * A coordinate that a subgraph was asked for, which does not say itself what it returned: it runs without `@behalf/directives`, or
 * its account was not believed. Nobody knows how many rows it read.
 */
export interface AskedAccess {
  readonly coordinate: string;
  readonly decision: 'asked';
  /** The gateway's rule for the field, which the caller met. */
  readonly rule?: string;
  readonly subgraph: string;
  readonly count?: never;
  readonly strategy?: never;
  readonly level?: never;
}

/** The accesses at one coordinate: in one subgraph, or at the gateway if none is named. */
export type AuditedAccess = (FieldAccess & { readonly subgraph?: string }) | AskedAccess;

/** The record of one request. It never holds a value, an argument, a variable or a token. */
export interface AuditRecord {
  /** Transaction id (`txn` of the transaction tokens). */
  readonly transactionId: string;
  /** 32 hex digits that the gateway chose: the W3C trace id, unless the client sent one. */
  readonly traceId?: string;
  /** The W3C trace id that the client sent, 32 hex digits: the request's spans are in that trace. */
  readonly traceLink?: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly outcome: AuditOutcome;
  /** The stable error code of an outcome other than `answered`. */
  readonly reason?: string;
  readonly caller: AuditCaller;
  /** The workload that exchanged a transaction token, and the audience that it asked for. */
  readonly passedOn?: { readonly by: string; readonly to: string };
  /** The client's name for the operation if it is short and plain; otherwise a keyed hash (`hmac-sha256:` and 64 hex digits). */
  readonly operationName?: string;
  /** HMAC-SHA-256 of the operation's SHA-256, hex. Equal operation texts have equal hashes. */
  readonly operationHash?: string;
  /** The client's address, truncated to /24 or /48. */
  readonly source?: string;
  /** Digest of the policy that cut the caller's rights. */
  readonly policyVersion?: string;
  /** Digest of the supergraph whose rules decided. */
  readonly supergraphVersion?: string;
  readonly fields: readonly AuditedAccess[];
  /** Who answers for the data of each subgraph in `fields` and `unaccounted`, as configured. */
  readonly owners?: Readonly<Record<string, string>>;
  /** The root fields that a mutation will execute, for the outcome `intended`. */
  readonly mutates?: readonly string[];
  /** Pseudonyms of the subjects whose rows were read (`@subject`), sorted; at most 100. Absent: none, or nobody knows. */
  readonly subjects?: readonly string[];
  /** Rows of more subjects were read than `subjects` names. */
  readonly moreSubjects?: true;
  /**
   * Subgraphs that took part but whose accesses are incomplete in `fields`: they sent no account, or one that was not believed.
   * Absent if the record is complete.
   */
  readonly unaccounted?: readonly string[];
}

/** One record of the log. */
export type AuditEntry = AuditRecord | AuditEvent;

/** Name of a subject → pseudonym. */
export type SubjectPseudonyms = ReadonlyMap<string, string>;

/** A destination of audit records. */
export interface AuditSink {
  /**
   * Appends a record.
   *
   * The promise resolves when the record is durable, and rejects with an {@link AuditError} if it cannot be made durable. In
   * `required` mode the gateway waits for it; in `best-effort` mode it does not, and lost records are counted in {@link lost}.
   *
   * @returns the receipt: the leaf that the record has in a transparency log, base64url. Undefined if the sink keeps no such log
   */
  append(entry: AuditEntry): Promise<string | undefined>;
  /**
   * The pseudonyms of subjects, under which records name them. A sink without it leaves them to the gateway, which derives them
   * from `audit.pseudonymKey`: then one person cannot be erased by destroying one key.
   *
   * @throws {AuditError} if they cannot be had now, so that no record about these subjects can be written
   */
  pseudonymsOf?(subjects: readonly string[]): Promise<SubjectPseudonyms>;
  /** The number of records lost since the start. */
  readonly lost: number;
  /** Tests whether a record could be stored now, for the gateway's `/health/ready`. @throws if not. A sink without it counts as able. */
  check?(): Promise<void>;
  /** Writes the queued records, then closes connections. */
  close(): Promise<void>;
}
