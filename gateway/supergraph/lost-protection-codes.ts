/**
 * Ways in which a supergraph breaks the promise of its rules. Stable; shared by `behalf lint`, `behalf compose` and loading.
 */
export type LostProtectionCode =
  /** A field reads one that requires more than itself. */
  | 'REQUIRES_PROTECTED'
  /** A field reads a minimized value and is not minimized as strictly. */
  | 'REQUIRES_MINIMIZED'
  /** A field reads rows of a subject, and its own type has none. */
  | 'REQUIRES_SUBJECT'
  /** A subgraph can resolve a field and omits its `@minimize`. */
  | 'SHARED_MINIMIZATION_DIFFERS'
  /** A subgraph can resolve fields of a type and omits its `@subject`. */
  | 'SHARED_SUBJECT_DIFFERS'
  /** A subgraph resolves fields of a type with `@subject` and does not get the owner. */
  | 'SUBJECT_NOT_RECEIVED'
  /** More than one subgraph can resolve it, and nothing records which of them state the rule. */
  | 'STATEMENTS_UNRECORDED'
  /** The record of who states a rule does not fit the subgraphs that resolve it. */
  | 'STATEMENTS_CONTRADICT';

export interface LostProtection {
  readonly code: LostProtectionCode;
  /** Type, or `Type.field`. */
  readonly coordinate: string;
  /** The subgraph that loses it. */
  readonly subgraph?: string;
  readonly message: string;
}
