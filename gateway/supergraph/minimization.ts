import {
  combine,
  compareStrategies,
  defaultStatement,
  levelNames,
  NO_REQUIREMENT,
  statementParameters,
} from '@behalf/directives/internal';
import type { Minimization, MinimizeStatement, Requirement } from '@behalf/directives/internal';
import { implies } from './implication.js';

/** What a caller must hold to be exempt from what a field leaves by default. */
export function wholeRequirement(minimization: Minimization): Requirement {
  const statement = defaultStatement(minimization);
  // Without a default, the field is whole for everybody.
  if (statement === undefined) return NO_REQUIREMENT;
  return { ...NO_REQUIREMENT, authenticated: true, scopes: [statement.unless] };
}

/** In place of a default that a field does not have. */
export const WHOLE: MinimizeStatement = Object.freeze({ to: 'KEEP', unless: [] });

/** What a field leaves with this level in force and none of its other ones, for a caller whom nothing exempts from its default. */
export function statementAt({ statements }: Minimization, level: string | undefined): MinimizeStatement {
  return statements.findLast((each) => each.level === undefined || each.level === level) ?? WHOLE;
}

/** The same for a caller who is exempt from the default, if anybody can be: only the level counts. */
export function statementAtExempt({ statements }: Minimization, level: string): MinimizeStatement {
  const applies = (each: MinimizeStatement): boolean =>
    each.level === undefined ? each.unless.length === 0 : each.level === level;
  return statements.findLast(applies) ?? WHOLE;
}

/**
 * Whether a field computed from a minimized one reveals no more than that one. By default: everybody who reads it, or reads it
 * whole, may also read the input whole; or it is minimized by the same strategy, at least as strictly. And at each level of the
 * input, which no scope lifts, it has the same level, at least as strictly. Results of different strategies cannot be compared,
 * except for `REDACT`, which leaves nothing.
 *
 * @param asked everything that the reader requires
 */
export function isMinimizedAsStrictly(
  asked: Requirement,
  reader: Minimization | undefined,
  input: Minimization,
): boolean {
  return isDefaultAsStrict(asked, reader, input) && areLevelsAsStrict(reader, input);
}

function isDefaultAsStrict(
  asked: Requirement,
  reader: Minimization | undefined,
  input: Minimization,
): boolean {
  const statement = defaultStatement(input);
  if (statement === undefined) return true;
  const whole = wholeRequirement(input);
  if (implies(asked, whole) === 'yes') return true;
  const own = reader === undefined ? undefined : defaultStatement(reader);
  if (reader === undefined || own === undefined) return false;
  if (implies(combine([asked, wholeRequirement(reader)]), whole) !== 'yes') return false;
  return isAsStrict(own, statement);
}

function areLevelsAsStrict(reader: Minimization | undefined, input: Minimization): boolean {
  const limiting = input.statements.filter(({ level, to }) => level !== undefined && to !== 'KEEP');
  if (limiting.length === 0) return true;
  // Levels are chosen by category, so that of another one would be in force without this one.
  if (reader?.category === undefined || reader.category !== input.category) return false;
  // Also for callers whom a scope exempts from the defaults: they get what the level alone leaves.
  return limiting.every(
    ({ level = '' }) =>
      isAsStrict(statementAt(reader, level), statementAt(input, level)) &&
      isAsStrict(statementAtExempt(reader, level), statementAtExempt(input, level)),
  );
}

function isAsStrict(one: MinimizeStatement, than: MinimizeStatement): boolean {
  return ['equal', 'stronger'].includes(compareStrategies(than, one));
}

/** The directives in the words of the schema; empty without one. */
export function minimizationText(minimization: Minimization | undefined): string {
  return (minimization?.statements ?? []).map(directiveText).join(' ');
}

function directiveText(statement: MinimizeStatement): string {
  const { level, to, unless } = statement;
  const whole = unless.map((names) => names.join(' & ')).join(' | ');
  const parameters = parametersOf(statement).map(([name, value]) => `, ${name}: ${value}`);
  const ofLevel = level === undefined ? '' : `level: ${level}, `;
  return `@minimize(${ofLevel}to: ${to}${parameters.join('')}${whole === '' ? '' : `, unless: ${whole}`})`;
}

/** The strategy and its parameters, in words. */
export function strategyText(statement: MinimizeStatement): string {
  const parameters = parametersOf(statement).map(([name, value]) => `, ${name} ${value}`);
  return `${statement.to}${parameters.join('')}`;
}

/** In the schema's words. */
function parametersOf(statement: MinimizeStatement): readonly [string, string][] {
  return statementParameters(statement).map(([name, value]) => [name, parameterText(value)]);
}

function parameterText(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(parameterText).join(', ')}]` : String(value);
}

/** They say who may read a pseudonym, and which property of a row is whose. */
const UNTOLD: ReadonlySet<string> = new Set(['readableWith', 'subject']);
/** A hierarchy can have thousands of names. */
const MAX_PARAMETER_LENGTH = 200;

/** Those that say something about a value, as far as they are short. */
export function shownParameters(statement: MinimizeStatement): readonly (readonly [string, unknown])[] {
  return statementParameters(statement).filter(
    ([name, value]) => !UNTOLD.has(name) && JSON.stringify(value).length <= MAX_PARAMETER_LENGTH,
  );
}

/** All levels of the one and the other. */
export function levelsOfBoth(one: Minimization, other: Minimization): readonly string[] {
  return [...new Set([...levelNames(one), ...levelNames(other)])];
}
