import type { Requires } from '@behalf/directives';
import type { SufficientSets } from './sufficient.js';

/** What becomes of one selection. */
export type SelectionDecision =
  | 'allowed'
  /** Allowed, and the subgraph returns less than the stored value. */
  | 'minimized'
  /** Its own rules are not met. */
  | 'denied'
  /** It stands below a denied one, whatever its own rules say. */
  | 'lost'
  /** Everything that is selected on it is denied. */
  | 'emptied'
  /** `@skip` or `@include` leaves it out. */
  | 'skipped'
  /** It asks for the schema: that is decided by the gateway's own setting, and not by rules. */
  | 'introspection';

export interface ExplainedRule {
  /** The type or field that states it. */
  readonly at: string;
  /** In the words of the schema. */
  readonly rule: string;
  readonly met: boolean;
  /** What is not held, of each alternative. Absent when it is met. */
  readonly missing?: Requires;
}

export interface ExplainedMinimization {
  readonly at: string;
  /** The directive without `unless`, in the words of the schema. */
  readonly strategy: string;
  /** The scopes that the value is whole with; empty: it never is. */
  readonly wholeWith: readonly (readonly string[])[];
  readonly whole: boolean;
}

export interface ExplainedSelection {
  /** Response keys from the operation down; lists have no index here. */
  readonly path: readonly string[];
  readonly coordinate: string;
  readonly decision: SelectionDecision;
  readonly rules: readonly ExplainedRule[];
  readonly minimization?: readonly ExplainedMinimization[];
  /** Types with `@subject` that it can return: a row of somebody else is left out when it is met. */
  readonly perRow?: readonly { readonly type: string; readonly property: string }[];
}

/** What has to be held for every selection. */
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

export interface Explanation {
  readonly operation: { readonly type: string; readonly name?: string };
  /** Whether nothing of it is denied. Rows of somebody else are not known here. */
  readonly allowed: boolean;
  readonly selections: readonly ExplainedSelection[];
  /** True when the operation selects more than is listed. What it needs is told of all of it. */
  readonly truncated: boolean;
  readonly needs: Needs;
  /** What of it the delegation does not hold. Absent when it holds all. */
  readonly lacks?: Needs;
}
