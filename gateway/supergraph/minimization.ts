import { combine, NO_REQUIREMENT } from '@behalf/directives/internal';
import type { Generalization, Minimization, Requirement } from '@behalf/directives/internal';
import { implies } from './implication.js';

/** What a delegation must show to see the whole value. */
export function wholeRequirement({ unless }: Minimization): Requirement {
  return { ...NO_REQUIREMENT, authenticated: true, scopes: [unless] };
}

/**
 * Whether a field that is computed from a minimized one tells nobody more than that one does: whoever reads it, or whoever
 * reads it whole, may read the input whole as well; and the others get it by the same strategy or a stricter one. What one
 * strategy leaves of a value cannot be compared with what another one leaves; only `REDACT` leaves nothing.
 *
 * @param asked All that the reader asks for.
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

/** What is left of a value: `weaker` leaves more. */
export function compareStrategies(before: Minimization, after: Minimization): StrategyComparison {
  const comparison = compareParameters(before, after);
  // A parameter that is not compared here must not pass for the same.
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
  // On another grid, some values are told apart that were not, and others no longer. The spread decides it where no step does.
  return isOneGrid(before, after) ? byDetail(-before.spread, -after.spread) : 'incomparable';
}

function isOneGrid(before: Noise, after: Noise): boolean {
  return before.step === after.step && (before.step !== undefined || before.spread === after.spread);
}

function compareGeneralizations(then: Generalization, now: Generalization): StrategyComparison {
  if ('decimals' in then && 'decimals' in now) return byDetail(then.decimals, now.decimals);
  if ('unit' in then && 'unit' in now)
    return byDetail(-DATE_UNITS.indexOf(then.unit), -DATE_UNITS.indexOf(now.unit));
  if ('step' in then && 'step' in now) {
    if (then.step === now.step) return 'equal';
    // Steps of 30 tell some values apart that steps of 20 do not.
    if (now.step % then.step === 0) return 'stronger';
    return then.step % now.step === 0 ? 'weaker' : 'incomparable';
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
