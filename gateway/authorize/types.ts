import type { Requires } from '@behalf/directives';
import type { Minimization } from '@behalf/directives/internal';
import type { DocumentNode, GraphQLError, OperationDefinitionNode } from 'graphql';
import type { ErrorReport } from '../subgraph-errors/log-errors.js';

/** The operation as the server parsed and validated it. */
export interface ClientOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** SHA-256 of the document's text, hex: the key of the gateway's query plan cache. */
  readonly queryHash: string;
}

/** A field that the delegation may not read, without the paths (one selection can be reached by many). */
export interface Denial {
  /** `Type.field` as the client selected it. */
  readonly coordinate: string;
  /** The same, or the argument for which it is denied: `Type.field(argument:)`. */
  readonly toldAs: string;
  /** The requirement, in the schema's names; never what the caller holds. */
  readonly requires: Requires;
  /** The rule in the schema's words, for the record. */
  readonly rule: string;
  /** How many selections of the operation name it. */
  readonly selections: number;
}

export interface ExecutionOutcome {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** How an operation is answered, besides its data and errors. */
export interface AnswerOptions {
  /** Whether `extensions.minimized` lists the fields that are minimized. */
  readonly tellsMinimized?: boolean;
}

/** The decision on one operation for one delegation. */
export interface Authorization {
  /** The permitted part, to plan and execute; undefined when nothing is left. */
  readonly execute: ClientOperation | undefined;
  /** True if `execute` is the client's whole operation. */
  readonly unchanged: boolean;
  readonly denials: readonly Denial[];
  /**
   * Shapes the executed data as the client requested it: null at each denied path, with non-null propagation, and one error per
   * denied path. If nothing was left to execute, pass `{ data: {} }`.
   *
   * Execution errors are placed on the client's own operation, and none of their text passes unless configured.
   *
   * @param report is called with each execution error, for the log
   */
  complete(outcome: ExecutionOutcome, report?: (report: ErrorReport) => void): ExecutionOutcome;
  /**
   * For an operation executed whole, in shadow mode: data and errors pass unchanged, except that a subgraph failure is reported
   * where it caused a null, and that errors are limited as in {@link complete}.
   */
  observe(outcome: ExecutionOutcome, report?: (report: ErrorReport) => void): ExecutionOutcome;
}

/** The names that one subgraph's rules can require. Nothing else is sent to it. */
export interface SubgraphVocabulary {
  readonly scopes: ReadonlySet<string>;
  readonly policies: ReadonlySet<string>;
  readonly purposes: ReadonlySet<string>;
  /** Some of its values differ by all purposes of a consent, whichever its rules name. */
  readonly isKeyedByPurposes: boolean;
}

/** The gateway's own knowledge of a coordinate, which is recorded beside the subgraph's report. */
export interface AccountableField {
  /** In the words of the schema; absent when none applies. */
  readonly rule?: string;
  /** What `@minimize` says about it. */
  readonly minimization?: Minimization;
  /** Whether `@subject` can decide there: on the type that it stands on, or on the one that it returns. */
  readonly isOwned: boolean;
}

/** The part of a schema that a caller can reach, independent of the operation. */
export interface SchemaGrants {
  /** The same for all callers who can reach the same part. */
  readonly key: string;
  /** False for an unknown coordinate. */
  isGranted(typeName: string, fieldName: string): boolean;
}
