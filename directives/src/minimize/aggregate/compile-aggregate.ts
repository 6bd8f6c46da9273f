import { isSpecifiedScalarType } from 'graphql';
import type { GraphQLOutputType } from 'graphql';
import { awaitedLater, isAsyncIterable, isIterable, isPromise } from '../../enforce/values.js';
import type { Decimal } from '../decimal.js';
import { acceptFinishedValues } from '../finished-value.js';
import { bucketAt, bucketBegins } from '../generalize/buckets.js';
import { readNumber } from '../generalize/read-number.js';
import type { AggregateParameters } from '../strategies/aggregate.js';
import { Groups } from './groups.js';
import type { CountedRow } from './groups.js';
import { compileOutput } from './output.js';
import { groupValueOf, numberOrText, propertyOf, subjectOfRow, UNREADABLE } from './row-values.js';
import type { GroupValue } from './row-values.js';
import { statisticError } from './statistic-error.js';
import { statisticType } from './statistic-type.js';
import type { StatisticType } from './statistic-type.js';

/** Rows in, numbers about groups of them out: a list, or a promise of one. Null and errors are unchanged. */
type Aggregator = (value: unknown) => unknown;

export interface AggregatorInput {
  readonly parameters: AggregateParameters;
  readonly coordinate: string;
  readonly type: GraphQLOutputType;
  /** Is called for a row that is not counted because something of it cannot be read, and for a number that does not fit its field. */
  readonly onUnreadable: () => void;
}

/** Takes the place of a value that is no list of rows: graphql-js reports it, and cannot return it. */
const NOT_A_LIST = Object.freeze({});

/** @throws {DirectiveError} `INVALID_RULE` if results would not be valid for the type of the field */
export function compileAggregator(input: AggregatorInput): Aggregator {
  const { coordinate, onUnreadable, parameters } = input;
  const type = statisticType(input.type, parameters, coordinate);
  for (const group of type.groups) if (!isSpecifiedScalarType(group.type)) acceptFinishedValues(group.type);
  const begins = bucketBegins({ buckets: parameters.buckets ?? [] }, coordinate);
  const readRow = compileRow(parameters, type, begins);
  const output = compileOutput({ parameters, type, begins, onUnreadable });
  const options = { floor: parameters.floor, countsSubjects: type.numbers.has('subjects'), coordinate };

  const counting = (groups: Groups) => (row: unknown) => {
    let counted: ReturnType<RowReader>;
    try {
      counted = readRow(row);
    } catch (reason) {
      throw statisticError('STATISTIC_ROW_FAILED', coordinate, reason);
    }
    if (counted === UNREADABLE) onUnreadable();
    else if (counted !== null) groups.add(counted);
  };
  const aggregator: Aggregator = (value) => {
    if (value === null || value === undefined) return null;
    if (isPromise(value)) return value.then(aggregator);
    if (value instanceof Error) return value;
    const groups = new Groups(options);
    const counted = countAll(value, counting(groups), coordinate);
    const result = (): unknown => groups.shown().map(output);
    if (counted === undefined) return NOT_A_LIST;
    return counted === true ? result() : counted.then(result);
  };
  return aggregator;
}

/** @returns true, or a promise if rows are awaited; undefined for what is no list */
function countAll(
  list: unknown,
  count: (row: unknown) => void,
  coordinate: string,
): true | Promise<void> | undefined {
  if (isIterable(list)) {
    const awaited: unknown[] = [];
    for (const row of list) {
      if (isPromise(row)) awaited.push(awaitedLater(row));
      else count(row);
    }
    return awaited.length === 0 ? true : countAwaited(awaited, count, coordinate);
  }
  return isAsyncIterable(list) ? countAsync(list, count, coordinate) : undefined;
}

async function countAwaited(
  rows: readonly unknown[],
  count: (row: unknown) => void,
  coordinate: string,
): Promise<void> {
  for (const row of rows) count(await settled(row, coordinate));
}

async function countAsync(
  list: AsyncIterable<unknown>,
  count: (row: unknown) => void,
  coordinate: string,
): Promise<void> {
  for await (const row of list) count(isPromise(row) ? await settled(row, coordinate) : row);
}

/** A row that failed is missing from every number: there is no statistic. */
async function settled(row: unknown, coordinate: string): Promise<unknown> {
  try {
    return await row;
  } catch (reason) {
    throw statisticError('STATISTIC_ROW_FAILED', coordinate, reason);
  }
}

/** @returns null for a row that is nobody's, or has no number. @throws what reading a property throws, and a row that is an error */
type RowReader = (row: unknown) => CountedRow | null | typeof UNREADABLE;

function compileRow(
  { buckets, of, subject: subjectProperty }: AggregateParameters,
  { groups }: StatisticType,
  begins: readonly Decimal[],
): RowReader {
  return (row) => {
    if (row === null || row === undefined) return null;
    if (row instanceof Error) throw row;
    if (typeof row !== 'object') return UNREADABLE;
    const subject = subjectOfRow(row, subjectProperty);
    if (subject === null || subject === UNREADABLE) return subject;
    const values: GroupValue[] = [];
    for (const group of groups) {
      const value = groupValueOf(row, group);
      if (value === UNREADABLE) return UNREADABLE;
      values.push(value);
    }
    if (of === undefined) return { values, bucket: 0, subject, number: undefined, form: 'number' };
    const written = numberOrText(propertyOf(row, of));
    if (written === null || written === UNREADABLE) return written;
    const number = readNumber(written);
    if (number === undefined) return UNREADABLE;
    const bucket = buckets === undefined ? 0 : bucketAt(number, begins);
    return { values, bucket, subject, number, form: typeof written as CountedRow['form'] };
  };
}
