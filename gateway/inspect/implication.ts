import type { Requirement } from '@behalf/directives/internal';
import { implies } from '../supergraph/implication.js';

export { implies, type Implied } from '../supergraph/implication.js';

export type Comparison =
  | 'equal'
  /** The second is met by more. */
  | 'weaker'
  /** The second is met by fewer. */
  | 'stronger'
  /** Each is met by some that do not meet the other, or it is not known. */
  | 'incomparable';

export function compareRequirements(before: Requirement, after: Requirement): Comparison {
  const forward = implies(before, after);
  const back = implies(after, before);
  if (forward === 'yes') return back === 'yes' ? 'equal' : back === 'no' ? 'weaker' : 'incomparable';
  return forward === 'no' && back === 'yes' ? 'stronger' : 'incomparable';
}
