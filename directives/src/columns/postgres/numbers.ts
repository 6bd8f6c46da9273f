import { decimalOf } from '../../minimize/decimal.js';
import type { BucketsParameters } from '../../minimize/generalize/buckets.js';
import type { DecimalsParameters } from '../../minimize/generalize/decimals.js';
import type { StepParameters } from '../../minimize/generalize/step.js';
import type { ColumnType } from '../column-mapping.js';
import { COLUMN, count, keyword, literal, sqlOf } from './sql-expression.js';
import type { SqlExpression } from './sql-expression.js';

interface NumericType {
  /** The column as an exact number. A double is the number that it is written as, as in JavaScript. */
  readonly exact: SqlExpression;
  readonly name: SqlExpression;
  readonly isWhole: boolean;
  /** The largest magnitude of a number of the schema. */
  readonly largest: number;
}

/** A field's type may pass the value through a double, which holds every number of 15 digits, and not every longer one. */
const MAX_MAGNITUDE = 5e14;
const MAX_DECIMALS = 15;
const MAX_INTEGER = 2 ** 31 - 1;

const AS_NUMERIC = sqlOf`${COLUMN}::numeric`;
const TYPES: Partial<Record<ColumnType, NumericType>> = {
  integer: { exact: AS_NUMERIC, name: keyword('integer'), isWhole: true, largest: MAX_INTEGER },
  bigint: { exact: AS_NUMERIC, name: keyword('bigint'), isWhole: true, largest: MAX_MAGNITUDE },
  numeric: { exact: AS_NUMERIC, name: keyword('numeric'), isWhole: false, largest: MAX_MAGNITUDE },
  double: {
    exact: sqlOf`${COLUMN}::text::numeric`,
    name: keyword('double precision'),
    isWhole: false,
    largest: MAX_MAGNITUDE,
  },
};

/** The multiple of the step at or below the number. `mod` is exact; a quotient would be rounded. */
export function stepSql({ step, min, max }: StepParameters, type: ColumnType): SqlExpression | undefined {
  const floor = (n: SqlExpression): SqlExpression => {
    const by = literal(step);
    const multiple = sqlOf`${n} - mod(mod(${n}, ${by}) + ${by}, ${by})`;
    const atMost = max === undefined ? multiple : sqlOf`least(${multiple}, ${literal(max)})`;
    return min === undefined ? atMost : sqlOf`greatest(${atMost}, ${literal(min)})`;
  };
  return guarded(type, [step, min, max], floor);
}

/** Where the bucket begins, also if it has a name: the minimizer finds the name again. */
export function bucketsSql({ buckets }: BucketsParameters, type: ColumnType): SqlExpression | undefined {
  const [first] = buckets;
  if (first === undefined) return undefined;
  const begins = sqlOf`array[${list(buckets.map(literal))}]`;
  return guarded(type, buckets, (n) => sqlOf`(${begins})[greatest(width_bucket(${n}, ${begins}), 1)]`);
}

/** Fewer decimals, and never more than the value has. */
export function decimalsSql({ decimals }: DecimalsParameters, type: ColumnType): SqlExpression | undefined {
  if (TYPES[type]?.isWhole === true) return undefined;
  const most = count(decimals);
  return guarded(type, [Number(`1e-${decimals}`)], (n) => sqlOf`trunc(${n}, least(scale(${n}), ${most}))`);
}

function list(expressions: readonly SqlExpression[]): SqlExpression {
  return expressions.reduce((all, each) => sqlOf`${all}, ${each}`);
}

/**
 * The number that `compute` makes of the column, in the column's type and with its decimals. What is NaN, infinite, or so long that
 * the minimizer could read the result as another number stays whole.
 */
function guarded(
  type: ColumnType,
  parameters: readonly (number | undefined)[],
  compute: (exact: SqlExpression) => SqlExpression,
): SqlExpression | undefined {
  const numeric = TYPES[type];
  const decimals = numeric === undefined ? undefined : decimalsOf(parameters, numeric);
  if (numeric === undefined || decimals === undefined) return undefined;
  const { exact: n, name } = numeric;
  // A double is read as it is. Of a numeric, the field's type may read a double that is only near.
  const scale = type === 'numeric' ? sqlOf`greatest(scale(${n}), ${count(decimals)})` : count(decimals);
  const isShort = sqlOf`abs(${n}) * 10::numeric ^ ${scale} < ${literal(MAX_MAGNITUDE)}`;
  const fits = type === 'integer' ? sqlOf`${isShort} and ${compute(n)} >= ${literal(-MAX_INTEGER)}` : isShort;
  const inType = sqlOf`round(less, greatest(scale(${n}), min_scale(less)))::${name}`;
  return sqlOf`case when ${fits} then (select ${inType} from (select ${compute(n)} as less) as computed) else ${COLUMN} end`;
}

/** How many decimals the parameters have. @returns undefined if results could have more digits than a value of the type holds */
function decimalsOf(
  parameters: readonly (number | undefined)[],
  { isWhole, largest }: NumericType,
): number | undefined {
  const given = parameters.filter((each) => each !== undefined);
  const decimals = Math.max(...given.map((each) => decimalOf(each)?.scale ?? Infinity));
  if (decimals > (isWhole ? 0 : MAX_DECIMALS)) return undefined;
  const isShort = given.every((each) => Math.abs(each) <= Math.min(largest, MAX_MAGNITUDE / 10 ** decimals));
  return isShort ? decimals : undefined;
}
