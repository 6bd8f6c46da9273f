import type { Requirement } from '@behalf/directives/internal';
import { implies } from '../supergraph/implication.js';

export { implies, type Implied } from '../supergraph/implication.js';

export type Comparison =
  | 'equal'
  /** More delegations meet the second. */
  | 'weaker'
  /** Fewer delegations meet the second. */
  | 'stronger'
  /** Each is met by some that do not meet the other; or the comparison took too long. */
  | 'incomparable';

export function compareRequirements(before: Requirement, after: Requirement): Comparison {
  const forward = implies(before, after);
  const back = implies(after, before);
  if (forward === 'yes') return back === 'yes' ? 'equal' : back === 'no' ? 'weaker' : 'incomparable';
  return forward === 'no' && back === 'yes' ? 'stronger' : 'incomparable';
}
