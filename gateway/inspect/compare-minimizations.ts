import { compareStrategies, levelNames } from '@behalf/directives/internal';
import type { Minimization } from '@behalf/directives/internal';
import { compareRequirements } from './implication.js';
import {
  levelsOfBoth,
  statementAt,
  statementAtExempt,
  wholeRequirement,
} from '../supergraph/minimization.js';

export type MinimizationChange =
  'minimization-weakened' | 'minimization-changed' | 'minimization-strengthened';

type Step = 'equal' | 'weaker' | 'stronger' | 'incomparable';

/** @returns undefined when nothing changed */
export function compareMinimization(
  before: Minimization | undefined,
  after: Minimization | undefined,
): MinimizationChange | undefined {
  if (before === undefined && after === undefined) return undefined;
  if (before === undefined) return 'minimization-strengthened';
  if (after === undefined) return 'minimization-weakened';
  // Who sees the whole value, what the others see, and what is left at each level. It is weaker only if none became stronger.
  const steps: readonly Step[] = [
    compareRequirements(wholeRequirement(before), wholeRequirement(after)),
    ...[undefined, ...levelsOfBoth(before, after)].map((level) =>
      compareStrategies(statementAt(before, level), statementAt(after, level)),
    ),
    // A scope exempts from the default alone, so what each level leaves by itself counts as well.
    ...levelsOfBoth(before, after).map((level) =>
      compareStrategies(statementAtExempt(before, level), statementAtExempt(after, level)),
    ),
    compareOrder(before, after),
  ];
  if (steps.every((step) => step === 'equal')) return undefined;
  if (steps.every((step) => step === 'equal' || step === 'stronger')) return 'minimization-strengthened';
  if (steps.every((step) => step === 'equal' || step === 'weaker')) return 'minimization-weakened';
  return 'minimization-changed';
}

/**
 * With several levels in force the last one applies, so another order is another rule. So is another category, by which levels
 * are chosen, and a level that is gone or new: it decides which other ones are in force.
 */
function compareOrder(before: Minimization, after: Minimization): Step {
  const [then, now] = [levelNames(before), levelNames(after)];
  if (then.length === 0 && now.length === 0) return 'equal';
  const isSame = JSON.stringify([before.category, then]) === JSON.stringify([after.category, now]);
  if (isSame) return 'equal';
  // Levels that come on top tighten, if all that was said before is still said.
  if (then.length === 0) return 'stronger';
  return now.length === 0 ? 'weaker' : 'incomparable';
}
