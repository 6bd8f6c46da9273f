import { DirectiveError } from '../../errors.js';
import { readStringList } from '../../specification/read-arguments.js';
import { compareDecimals, decimalOf, formatDecimal, toDouble } from '../decimal.js';
import type { Decimal } from '../decimal.js';
import { exactly, isGiven } from '../parameters.js';
import { isText, isWhole, needsType } from '../strategy.js';
import type { StrategyComparison } from '../strategy.js';
import type { GeneralizationDefinition } from './generalization.js';
import { readNumber } from './read-number.js';

export interface BucketsParameters {
  /** Where each bucket begins, ascending. The first one also holds what is less. */
  readonly buckets: readonly number[];
  /** What each bucket is called: only for fields of text. Absent: by where it begins. */
  readonly names?: readonly string[];
}

const MAX_BUCKETS = 1_000;

/** Numbers by buckets of any size, which may have names. */
export const buckets: GeneralizationDefinition<BucketsParameters> = {
  arguments: { buckets: '[Float!]', names: '[String!]' },
  read: (args, coordinate) => {
    const read = readBuckets(args.buckets, coordinate);
    if (!isGiven(args.names)) return { buckets: read };
    const names = readStringList(args.names, 'names', coordinate);
    if (names.length === read.length && new Set(names).size === names.length) return { buckets: read, names };
    throw new DirectiveError(
      'INVALID_RULE',
      '"names" must have a name of its own for each bucket',
      coordinate,
    );
  },
  compile: (parameters, { coordinate, typeName }) => {
    const { names } = parameters;
    if (names === undefined) needsType(typeName !== 'Boolean', 'GENERALIZE', 'a number', coordinate);
    else needsType(isText(typeName), 'GENERALIZE', 'String or ID, to be a name', coordinate);
    const begins = bucketBegins(parameters, coordinate);
    if (isWhole(typeName) && begins.some(({ scale }) => scale !== 0))
      throw new DirectiveError('INVALID_RULE', `"buckets" of a ${typeName} are whole`, coordinate);
    return (value) => bucketOf(value, begins, names);
  },
  compare: (before, after): StrategyComparison => {
    if (JSON.stringify(before) === JSON.stringify(after)) return 'equal';
    if (before.names !== undefined || after.names !== undefined) return 'incomparable';
    if (after.buckets.every((bucket) => before.buckets.includes(bucket))) return byCount(before, after);
    return before.buckets.every((bucket) => after.buckets.includes(bucket))
      ? byCount(before, after)
      : 'incomparable';
  },
};

/** Fewer beginnings join buckets. Another first one only renames the lowest. */
function byCount(before: BucketsParameters, after: BucketsParameters): StrategyComparison {
  return after.buckets.length < before.buckets.length ? 'stronger' : 'weaker';
}

function readBuckets(value: unknown, coordinate: string): readonly number[] {
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MAX_BUCKETS;
  const list: readonly unknown[] = isList ? value : [];
  const numbers = list.filter((each) => typeof each === 'number' && Number.isFinite(each)) as number[];
  const isAscending = numbers.every((each, index) => index === 0 || each > (numbers[index - 1] ?? 0));
  if (!isList || numbers.length < list.length || !isAscending) {
    throw new DirectiveError('INVALID_RULE', '"buckets" must be numbers in ascending order', coordinate);
  }
  return numbers.map((each) => exactly(each, 'buckets', coordinate));
}

/** @throws {DirectiveError} `INVALID_RULE` */
export function bucketBegins(
  { buckets: numbers }: BucketsParameters,
  coordinate: string,
): readonly Decimal[] {
  return numbers.map((bucket) => exactDecimal(bucket, coordinate));
}

function exactDecimal(bucket: number, coordinate: string): Decimal {
  const exact = decimalOf(bucket);
  if (exact !== undefined) return exact;
  throw new DirectiveError('INVALID_RULE', '"buckets" must be numbers in ascending order', coordinate);
}

function bucketOf(value: unknown, begins: readonly Decimal[], names: readonly string[] | undefined): unknown {
  const number = readNumber(value);
  if (number === undefined) return null;
  const index = bucketAt(number, begins);
  if (names !== undefined) return names[index] ?? null;
  const begin = begins[index];
  if (begin === undefined) return null;
  if (typeof value === 'bigint') return begin.scale === 0 ? begin.digits : null;
  return typeof value === 'number' ? toDouble(begin) : formatDecimal(begin, number.scale);
}

/** @returns the index of the last one that begins at or below the number, or 0. By bisection */
export function bucketAt(number: Decimal, begins: readonly Decimal[]): number {
  let [low, high] = [0, begins.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const begin = begins[middle];
    if (begin !== undefined && compareDecimals(begin, number) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}
