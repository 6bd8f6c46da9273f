/** Ways in which a supergraph loses what its rules promise. Stable; `behalf lint`, `behalf compose` and loading share them. */
export type LostProtectionCode =
  /** A field reads what asks for more than the field itself. */
  | 'REQUIRES_PROTECTED'
  /** A field reads a minimized value and is not minimized as strictly. */
  | 'REQUIRES_MINIMIZED'
  /** A field reads rows of a subject, and its own type has none. */
  | 'REQUIRES_SUBJECT'
  /** A subgraph can resolve a field and does not state its `@minimize`. */
  | 'SHARED_MINIMIZATION_DIFFERS'
  /** A subgraph can resolve fields of a type and does not state its `@subject`. */
  | 'SHARED_SUBJECT_DIFFERS'
  /** A subgraph resolves fields of a type with `@subject` and is not given the owner. */
  | 'SUBJECT_NOT_RECEIVED'
  /** More than one subgraph can resolve it, and nothing tells which of them state the rule. */
  | 'STATEMENTS_UNRECORDED'
  /** The record of who states a rule does not fit who resolves what. */
  | 'STATEMENTS_CONTRADICT';

export interface LostProtection {
  readonly code: LostProtectionCode;
  /** Type, or `Type.field`. */
  readonly coordinate: string;
  /** The subgraph by which it is lost. */
  readonly subgraph?: string;
  readonly message: string;
}
