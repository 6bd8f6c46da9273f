import { combine, isMultipleOf, NO_REQUIREMENT } from '@behalf/directives/internal';
import type { Generalization, Minimization, Requirement } from '@behalf/directives/internal';
import { implies } from './implication.js';

/** The exemptions by which a delegation sees the whole value. */
export function wholeRequirement({ unless }: Minimization): Requirement {
  return { ...NO_REQUIREMENT, authenticated: true, scopes: [unless] };
}

/**
 * Whether a field computed from a minimized one reveals no more than that one: everybody who reads it, or reads it whole, may
 * also read the input whole; or it is minimized by the same strategy, at least as strictly. Results of different strategies
 * cannot be compared, except for `REDACT`, which leaves nothing.
 *
 * @param asked everything that the reader requires
 */
export function isMinimizedAsStrictly(
  asked: Requirement,
  reader: Minimization | undefined,
  input: Minimization,
): boolean {
  const whole = wholeRequirement(input);
  if (implies(asked, whole) === 'yes') return true;
  if (reader === undefined) return false;
  if (implies(combine([asked, wholeRequirement(reader)]), whole) !== 'yes') return false;
  return ['equal', 'stronger'].includes(compareStrategies(input, reader));
}

const DATE_UNITS: readonly string[] = ['DAY', 'MONTH', 'YEAR', 'DECADE'];

type StrategyComparison = 'equal' | 'weaker' | 'stronger' | 'incomparable';

/** The rest of a value: `weaker` leaves more. */
export function compareStrategies(before: Minimization, after: Minimization): StrategyComparison {
  const comparison = compareParameters(before, after);
  // A parameter that is not compared here must not pass for equal.
  return comparison === 'equal' && strategyText(before) !== strategyText(after) ? 'incomparable' : comparison;
}

function strategyText({ unless: _, ...strategy }: Minimization): string {
  return JSON.stringify(strategy);
}

function compareParameters(before: Minimization, after: Minimization): StrategyComparison {
  if (before.to === 'MASK' && after.to === 'MASK') return byDetail(before.keep, after.keep);
  if (before.to === 'TRUNCATE' && after.to === 'TRUNCATE') return byDetail(before.keep, after.keep);
  if (before.to === 'NOISE' && after.to === 'NOISE') return compareNoise(before, after);
  if (before.to === 'GENERALIZE' && after.to === 'GENERALIZE')
    return compareGeneralizations(before.by, after.by);
  if (before.to === after.to) return 'equal';
  if (after.to === 'REDACT') return 'stronger';
  return before.to === 'REDACT' ? 'weaker' : 'incomparable';
}

type Noise = Extract<Minimization, { to: 'NOISE' }>;

function compareNoise(before: Noise, after: Noise): StrategyComparison {
  if (after.spread < before.spread) return 'weaker';
  // On another grid, some values become distinguishable and others no longer are. Without a step, the spread decides.
  return isOneGrid(before, after) ? byDetail(-before.spread, -after.spread) : 'incomparable';
}

function isOneGrid(before: Noise, after: Noise): boolean {
  return before.step === after.step && (before.step !== undefined || before.spread === after.spread);
}

function compareGeneralizations(then: Generalization, now: Generalization): StrategyComparison {
  if ('decimals' in then && 'decimals' in now) return byDetail(then.decimals, now.decimals);
  // Days of another time zone begin elsewhere.
  if ('unit' in then && 'unit' in now && then.timeZone === now.timeZone)
    return byDetail(-DATE_UNITS.indexOf(then.unit), -DATE_UNITS.indexOf(now.unit));
  if ('step' in then && 'step' in now) {
    if (then.step === now.step) return 'equal';
    // Steps of 30 distinguish some values that steps of 20 do not.
    if (isMultipleOf(now.step, then.step)) return 'stronger';
    return isMultipleOf(then.step, now.step) ? 'weaker' : 'incomparable';
  }
  return 'incomparable';
}

function byDetail(before: number, after: number): 'equal' | 'weaker' | 'stronger' {
  return after === before ? 'equal' : after > before ? 'weaker' : 'stronger';
}

/** The directive in the words of the schema; empty without one. */
export function minimizationText(minimization: Minimization | undefined): string {
  if (minimization === undefined) return '';
  const { to, unless, ...more } = minimization;
  const { by, ...flat } = more as { readonly by?: object };
  const parameters = Object.entries({ ...flat, ...by }).map(([name, value]) => `, ${name}: ${String(value)}`);
  const whole = unless.map((names) => names.join(' & ')).join(' | ');
  return `@minimize(to: ${to}${parameters.join('')}${whole === '' ? '' : `, unless: ${whole}`})`;
}
