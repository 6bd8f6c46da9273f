import { combine, compareStrategies, NO_REQUIREMENT } from '@behalf/directives/internal';
import type { Minimization, Requirement } from '@behalf/directives/internal';
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

/** The directive in the words of the schema; empty without one. */
export function minimizationText(minimization: Minimization | undefined): string {
  if (minimization === undefined) return '';
  const whole = minimization.unless.map((names) => names.join(' & ')).join(' | ');
  const parameters = parametersOf(minimization).map(([name, value]) => `, ${name}: ${value}`);
  return `@minimize(to: ${minimization.to}${parameters.join('')}${whole === '' ? '' : `, unless: ${whole}`})`;
}

/** The strategy and its parameters, in words. */
export function strategyText(minimization: Minimization): string {
  const parameters = parametersOf(minimization).map(([name, value]) => `, ${name} ${value}`);
  return `${minimization.to}${parameters.join('')}`;
}

/** In the schema's words, without the parameters of `MASK` that say nothing. */
function parametersOf({ to, unless: _unless, ...parameters }: Minimization): readonly [string, string][] {
  return Object.entries(parameters)
    .filter(([name, value]) => name !== 'by' && !(to === 'MASK' && (value === 0 || value === false)))
    .map(([name, value]) => [name, Array.isArray(value) ? `[${value.join(', ')}]` : String(value)]);
}
