import { DirectiveError } from '../../errors.js';
import { compareDecimals, decimalOf, floorTo, formatDecimal, isMultipleOf, toDouble } from '../decimal.js';
import type { Decimal } from '../decimal.js';
import { exactly, isGiven, readStep } from '../parameters.js';
import { isWhole, needsType } from '../strategy.js';
import type { StrategyComparison } from '../strategy.js';
import type { GeneralizationDefinition } from './generalization.js';
import { readNumber } from './read-number.js';

export interface StepParameters {
  /** Reduces a number to the multiple of this at or below it. */
  readonly step: number;
  /** What is less counts as this. */
  readonly min?: number;
  /** What is more counts as this. */
  readonly max?: number;
}

/** Numbers by a decimal step, and bounds beyond which nobody stands out. */
export const step: GeneralizationDefinition<StepParameters> = {
  arguments: { step: 'Float', min: 'Float', max: 'Float' },
  read: (args, coordinate) => {
    const bound = (name: 'min' | 'max'): { readonly [name: string]: number } =>
      isGiven(args[name]) ? { [name]: readBound(args[name], name, coordinate) } : {};
    const parameters: StepParameters = {
      step: readStep(args.step, coordinate),
      ...bound('min'),
      ...bound('max'),
    };
    const { min = -Infinity, max = Infinity } = parameters;
    if (min < max) return parameters;
    throw new DirectiveError('INVALID_RULE', '"min" must be below "max"', coordinate);
  },
  compile: (parameters, { coordinate, typeName }) => {
    needsType(typeName !== 'Boolean', 'GENERALIZE', 'a number', coordinate);
    const by = stepOf(parameters.step, typeName, coordinate);
    const [min, max] = [parameters.min, parameters.max].map((bound) =>
      bound === undefined ? undefined : boundOf(bound, by, coordinate),
    );
    return (value) => generalizeNumber(value, by, { min, max });
  },
  compare,
};

/** The largest `Int`. */
const MAX_INT = 2 ** 31 - 1;

/** @throws {DirectiveError} `INVALID_RULE` if no value of the type is a multiple of the step, except 0 */
function stepOf(number: number, returns: string, coordinate: string): Decimal {
  const exact = decimalOf(number);
  const fits =
    exact !== undefined &&
    (!isWhole(returns) || exact.scale === 0) &&
    (returns !== 'Int' || number <= MAX_INT);
  if (fits) return exact;
  throw new DirectiveError(
    'INVALID_RULE',
    `@minimize(to: GENERALIZE): a "step" of ${number} does not fit a field of type ${returns}`,
    coordinate,
  );
}

function readBound(value: unknown, argument: string, coordinate: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return exactly(value, argument, coordinate);
  throw new DirectiveError('INVALID_RULE', `"${argument}" must be a number`, coordinate);
}

/** @throws {DirectiveError} `INVALID_RULE` if the bound is no result of the step, and would be told from its neighbours */
function boundOf(bound: number, by: Decimal, coordinate: string): Decimal {
  const exact = decimalOf(bound);
  if (exact !== undefined && compareDecimals(floorTo(exact, by), exact) === 0) return exact;
  throw new DirectiveError('INVALID_RULE', '"min" and "max" must be multiples of "step"', coordinate);
}

/** The bounds of what is left; each is a multiple of the step. */
export interface Bounds {
  readonly min?: Decimal | undefined;
  readonly max?: Decimal | undefined;
}

/**
 * The multiple of a step at or below the number, and within the bounds. Numbers stay numbers; decimal strings (exact money) stay
 * strings, with their decimals or as many more as the multiple has.
 */
export function generalizeNumber(value: unknown, by: Decimal, { min, max }: Bounds = {}): unknown {
  const number = readNumber(value);
  // An integer has no multiple of a fraction below it in its own type.
  if (number === undefined || (typeof value === 'bigint' && by.scale !== 0)) return null;
  let lower = floorTo(number, by);
  if (min !== undefined && compareDecimals(lower, min) < 0) lower = min;
  if (max !== undefined && compareDecimals(lower, max) > 0) lower = max;
  if (typeof value === 'bigint') return lower.scale === 0 ? lower.digits : null;
  return typeof value === 'number' ? toDouble(lower) : formatDecimal(lower, number.scale);
}

function compare(before: StepParameters, after: StepParameters): StrategyComparison {
  const bySteps = compareSteps(before.step, after.step);
  const byBounds = compareBounds(before, after);
  if (bySteps === 'equal' || bySteps === byBounds) return byBounds;
  return byBounds === 'equal' ? bySteps : 'incomparable';
}

function compareSteps(then: number, now: number): StrategyComparison {
  if (then === now) return 'equal';
  // Steps of 30 distinguish some values that steps of 20 do not.
  if (isMultipleOf(now, then)) return 'stronger';
  return isMultipleOf(then, now) ? 'weaker' : 'incomparable';
}

function compareBounds(then: StepParameters, now: StepParameters): StrategyComparison {
  const below = bound(then.min, now.min, -Infinity);
  const above = bound(now.max, then.max, Infinity);
  if (below === 0) return above === 0 ? 'equal' : above > 0 ? 'weaker' : 'stronger';
  if (above === 0 || above > 0 === below > 0) return below > 0 ? 'weaker' : 'stronger';
  return 'incomparable';
}

/** @returns above 0 if the bound that comes second leaves more */
function bound(one: number | undefined, other: number | undefined, none: number): number {
  const [a, b] = [one ?? none, other ?? none];
  return a === b ? 0 : a - b;
}
