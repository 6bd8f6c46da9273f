import { DirectiveError } from '../errors.js';
import { oneOf } from '../option-checks.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';
import { readAlternatives } from './read-arguments.js';
import type { Alternatives, Arguments } from './read-arguments.js';
import { withoutUndefined } from '../without-undefined.js';

export type DateUnit = 'DAY' | 'MONTH' | 'YEAR' | 'DECADE';

/** A strategy with its checked arguments. */
export type Minimization = MinimizationStrategy & {
  /** A delegation that holds one of these gets the whole value; empty: nobody does. */
  readonly unless: Alternatives;
};

export type MinimizationStrategy =
  | { readonly to: 'REDACT' }
  /** Keeps the last `keep` user-perceived characters and replaces the others by `*`; separators stay. */
  | { readonly to: 'MASK'; readonly keep: number }
  /** Keeps the first `keep` user-perceived characters. */
  | { readonly to: 'TRUNCATE'; readonly keep: number }
  | { readonly to: 'GENERALIZE'; readonly by: Generalization }
  | { readonly to: 'PSEUDONYMIZE' }
  /** Moves a number by at most `spread`, to a multiple of `step`; by default of a thousandth of the spread. */
  | { readonly to: 'NOISE'; readonly spread: number; readonly step?: number };

export type StrategyName = MinimizationStrategy['to'];

export type Generalization =
  /** Reduces a number to the multiple of `step` at or below it. */
  | { readonly step: number }
  /** Reduces a date to the first day of its unit; a time is a date in the time zone (IANA). */
  | { readonly unit: DateUnit; readonly timeZone?: string }
  /** Reduces a coordinate to this many decimals. */
  | { readonly decimals: number };

const DATE_UNITS: readonly unknown[] = ['DAY', 'MONTH', 'YEAR', 'DECADE'];
const ARGUMENTS_OF: Readonly<Record<StrategyName, readonly string[]>> = {
  REDACT: [],
  MASK: ['keep'],
  TRUNCATE: ['keep'],
  GENERALIZE: ['step', 'unit', 'timeZone', 'decimals'],
  PSEUDONYMIZE: [],
  NOISE: ['spread', 'step'],
};

const MAX_KEEP = 1_000;
/** More leave a coordinate whole: a double has no more decimals beside its degrees. */
const MAX_DECIMALS = 15;

const STRATEGIES = Object.keys(ARGUMENTS_OF);

/** `@minimize(to: …, unless: [[…]])`: returns less than the stored value. */
export const minimize = Object.freeze({
  name: 'minimize',
  identities: [BEHALF_IDENTITY],
  arguments: ['to', 'keep', 'step', 'unit', 'timeZone', 'decimals', 'spread', 'unless'],
  definition: (name) =>
    `directive @${name}(to: behalf__Strategy!, keep: Int, step: Float, unit: behalf__DateUnit, timeZone: String, decimals: Int, spread: Float, unless: [[String!]!]) on FIELD_DEFINITION`,
  composed: true,
  protects: true,
  compile: (args, coordinate) =>
    ({ kind: 'minimization', minimization: readMinimization(args, coordinate) }) as const,
} as const satisfies DirectiveSpecification);

/** Enumerations that the definition of `@minimize` refers to. */
export const MINIMIZE_ENUMS = [
  `enum behalf__Strategy { ${STRATEGIES.join(' ')} }`,
  'enum behalf__DateUnit { DAY MONTH YEAR DECADE }',
] as const;

/** @throws {DirectiveError} `INVALID_RULE` */
function readMinimization(args: Arguments, coordinate: string): Minimization {
  return {
    ...readStrategy(args, coordinate),
    unless: isGiven(args.unless) ? readAlternatives(args.unless, 'unless', coordinate) : [],
  };
}

function readStrategy(args: Arguments, coordinate: string): MinimizationStrategy {
  const { to } = args;
  if (!isStrategyName(to))
    throw new DirectiveError('INVALID_RULE', `"to" ${oneOf(...STRATEGIES)(to) ?? ''}`, coordinate);
  const known = ARGUMENTS_OF[to];
  for (const name of ['keep', 'step', 'unit', 'timeZone', 'decimals', 'spread']) {
    // An argument that the strategy ignores would suggest protection that is not there.
    if (isGiven(args[name]) && !known.includes(name)) {
      throw new DirectiveError('INVALID_RULE', `@minimize(to: ${to}) takes no "${name}"`, coordinate);
    }
  }
  switch (to) {
    case 'MASK':
    case 'TRUNCATE':
      return { to, keep: isGiven(args.keep) ? readCount(args.keep, 'keep', coordinate, MAX_KEEP) : 0 };
    case 'GENERALIZE':
      return { to, by: readGeneralization(args, coordinate) };
    case 'NOISE':
      return withoutUndefined({
        to,
        spread: readPositive(args.spread, 'spread', coordinate),
        step: isGiven(args.step) ? readStep(args.step, coordinate) : undefined,
      });
    case 'PSEUDONYMIZE':
    case 'REDACT':
      return { to };
  }
}

function isStrategyName(name: unknown): name is StrategyName {
  return typeof name === 'string' && Object.hasOwn(ARGUMENTS_OF, name);
}

function readGeneralization(args: Arguments, coordinate: string): Generalization {
  const given = ['step', 'unit', 'decimals'].filter((name) => isGiven(args[name]));
  if (given.length !== 1) {
    throw new DirectiveError(
      'INVALID_RULE',
      '@minimize(to: GENERALIZE) takes one of step, unit, decimals',
      coordinate,
    );
  }
  if (isGiven(args.timeZone) && !isGiven(args.unit))
    throw new DirectiveError('INVALID_RULE', '"timeZone" only goes with "unit"', coordinate);
  if (isGiven(args.step)) return { step: readStep(args.step, coordinate) };
  if (isGiven(args.decimals))
    return { decimals: readCount(args.decimals, 'decimals', coordinate, MAX_DECIMALS) };
  if (!DATE_UNITS.includes(args.unit)) {
    throw new DirectiveError('INVALID_RULE', '"unit" must be DAY, MONTH, YEAR or DECADE', coordinate);
  }
  const timeZone = isGiven(args.timeZone) ? readTimeZone(args.timeZone, coordinate) : undefined;
  return withoutUndefined({ unit: args.unit as DateUnit, timeZone });
}

/** Offsets, which Node 22 takes for time zones, change with the seasons. */
function readTimeZone(value: unknown, coordinate: string): string {
  if (typeof value === 'string' && /^[A-Za-z]/.test(value)) {
    try {
      new Intl.DateTimeFormat('en', { timeZone: value });
      return value;
    } catch {
      // Unknown.
    }
  }
  throw new DirectiveError(
    'INVALID_RULE',
    '"timeZone" must be a name of the IANA database, such as "Europe/Vienna"',
    coordinate,
  );
}

function readCount(value: unknown, argument: string, coordinate: string, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw new DirectiveError(
      'INVALID_RULE',
      `"${argument}" must be a whole number from 0 to ${max}`,
      coordinate,
    );
  }
  return value;
}

/** A double holds every decimal number of this many digits, and not every longer one: it would be another step. */
const MAX_STEP_DIGITS = 15;

function readStep(value: unknown, coordinate: string): number {
  const step = readPositive(value, 'step', coordinate);
  const [significand = ''] = String(step).split('e');
  if (significand.replace('.', '').replace(/^0+|0+$/g, '').length > MAX_STEP_DIGITS) {
    throw new DirectiveError(
      'INVALID_RULE',
      `"step" must have at most ${MAX_STEP_DIGITS} digits, zeros at its ends not counted`,
      coordinate,
    );
  }
  return step;
}

function readPositive(value: unknown, argument: string, coordinate: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw new DirectiveError('INVALID_RULE', `"${argument}" must be a number above 0`, coordinate);
  }
  return value;
}

/** GraphQL's null means "not given" here. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
