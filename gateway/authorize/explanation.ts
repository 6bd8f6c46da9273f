import type { Requires } from '@behalf/directives';
import type { SufficientSets } from './sufficient.js';

/** The outcome of one selection. */
export type SelectionDecision =
  | 'allowed'
  /** Allowed, and the subgraph returns less than the stored value. */
  | 'minimized'
  /** Its own rules are not met. */
  | 'denied'
  /** It is below a denied one, whatever its own rules. */
  | 'lost'
  /** All its selections are denied. */
  | 'emptied'
  /** `@skip` or `@include` excludes it. */
  | 'skipped'
  /** Introspection, which the gateway's own setting decides. */
  | 'introspection';

/** One rule that an {@link ExplainedSelection} must meet, and whether the delegation meets it. */
export interface ExplainedRule {
  /** The type or field that states it. */
  readonly at: string;
  /** In the schema's words. */
  readonly rule: string;
  readonly met: boolean;
  /** The missing names, per alternative. Absent if it is met. */
  readonly missing?: Requires;
}

/** One argument, input field or enum value that an {@link ExplainedSelection} uses, and whether the delegation may. */
export interface ExplainedFilter {
  /** The coordinate that states `@filters`. */
  readonly at: string;
  /** The fields whose rules it is under. */
  readonly fields: readonly string[];
  /** In the schema's words. */
  readonly rule: string;
  readonly met: boolean;
  /** What would be needed. Absent if it is met. */
  readonly missing?: Requires;
}

/** One `@minimize` on an {@link ExplainedSelection}, and whether the delegation holds enough for the whole value. */
export interface ExplainedMinimization {
  readonly at: string;
  /** The directive without `unless`, in the words of the schema. */
  readonly strategy: string;
  /** The level in force; absent: the default. */
  readonly level?: string;
  /** The scopes that lift it; empty: none do, or nothing lifts for this delegation. */
  readonly wholeWith: readonly (readonly string[])[];
  readonly whole: boolean;
}

/** The decision on one selection of an operation, and the rules that it follows from. */
export interface ExplainedSelection {
  /** Response keys from the operation down; lists have no index here. */
  readonly path: readonly string[];
  readonly coordinate: string;
  readonly decision: SelectionDecision;
  readonly rules: readonly ExplainedRule[];
  readonly minimization?: readonly ExplainedMinimization[];
  /** What its arguments filter, sort or page by (`@filters`). */
  readonly filters?: readonly ExplainedFilter[];
  /** Possible return types with `@subject`. */
  readonly perRow?: readonly ExplainedRows[];
}

/** Whose rows of a type are returned; at run time, the others are omitted. */
export interface ExplainedRows {
  readonly type: string;
  /** Property of a row with its subject. */
  readonly property: string;
  /** Scopes with which the rows of every subject are returned. */
  readonly everyWith: readonly (readonly string[])[];
  /** Whether the delegation holds them. */
  readonly every: boolean;
}

/** The requirement of every selection. */
export interface Needs {
  readonly authenticated: boolean;
  /** Any one of the sets, together with all that follows. */
  readonly scopes: SufficientSets;
  /** All of them, each an OR of ANDs. */
  readonly policies: readonly (readonly (readonly string[])[])[];
  /** One of each. */
  readonly purposes: readonly (readonly string[])[];
  /** Places whose rules nobody can ever meet. */
  readonly impossible: readonly string[];
}

/** The gateway's decision on an operation, selection by selection. */
export interface Explanation {
  readonly operation: { readonly type: string; readonly name?: string };
  /** Whether nothing is denied. Ownership of rows is unknown here. */
  readonly allowed: boolean;
  readonly selections: readonly ExplainedSelection[];
  /** True if the operation selects more than is listed. The needs cover all of it. */
  readonly truncated: boolean;
  readonly needs: Needs;
  /** The names that the delegation lacks. Absent if it lacks none. */
  readonly lacks?: Needs;
}
