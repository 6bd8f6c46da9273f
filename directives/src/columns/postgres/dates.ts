import type { DateUnit } from '../../minimize/date-unit.js';
import type { UnitParameters } from '../../minimize/generalize/unit.js';
import type { ColumnType } from '../column-mapping.js';
import { bound, COLUMN, keyword, sqlOf } from './sql-expression.js';
import type { SqlExpression } from './sql-expression.js';

/** Years of which every unit begins in a year of four digits. Others, and `infinity`, stay whole. */
const IN_RANGE: Partial<Record<ColumnType, SqlExpression>> = {
  date: sqlOf`${COLUMN} >= date '0100-01-01' and ${COLUMN} < date '10000-01-01'`,
  timestamptz: sqlOf`${COLUMN} >= timestamptz '0100-01-03 00:00:00+00' and ${COLUMN} < timestamptz '9999-12-30 00:00:00+00'`,
};

const FIELDS: Readonly<Record<Exclude<DateUnit, 'CENTURY'>, SqlExpression>> = {
  DAY: keyword(`'day'`),
  WEEK: keyword(`'week'`),
  MONTH: keyword(`'month'`),
  QUARTER: keyword(`'quarter'`),
  YEAR: keyword(`'year'`),
  DECADE: keyword(`'decade'`),
};

/**
 * A day in the same unit. What a driver makes of a date, or of a time without a zone, depends on the process's own zone, so a date is
 * generalized here only without `timeZone`, and a time only with one.
 */
export function unitSql({ unit, timeZone }: UnitParameters, type: ColumnType): SqlExpression | undefined {
  const inRange = IN_RANGE[type];
  if (inRange === undefined || (type === 'date') !== (timeZone === undefined)) return undefined;
  const first =
    timeZone === undefined ? firstDate(unit) : noonOfFirstDay(unit, sqlOf`${bound(timeZone)}::text`);
  return first === undefined ? undefined : sqlOf`case when ${inRange} then ${first} else ${COLUMN} end`;
}

function firstDate(unit: DateUnit): SqlExpression | undefined {
  if (unit === 'DAY') return undefined;
  if (unit === 'CENTURY') return sqlOf`make_date(${centuryOf(COLUMN)}, 1, 1)`;
  // Without the cast to a time without a zone, days would begin where the connection is.
  return sqlOf`date_trunc(${FIELDS[unit]}, ${COLUMN}::timestamp)::date`;
}

/** Noon, because two versions of the time zone database may disagree on when a day began. */
function noonOfFirstDay(unit: DateUnit, zone: SqlExpression): SqlExpression {
  if (unit !== 'CENTURY') return sqlOf`date_trunc(${FIELDS[unit]}, ${COLUMN}, ${zone}) + interval '12 hours'`;
  return sqlOf`make_timestamptz(${centuryOf(sqlOf`${COLUMN} at time zone ${zone}`)}, 1, 1, 12, 0, 0, ${zone})`;
}

/** Behalf's centuries begin in 1900 and 2000. Those of `date_trunc` begin a year later. */
function centuryOf(date: SqlExpression): SqlExpression {
  return sqlOf`extract(year from ${date})::integer / 100 * 100`;
}
