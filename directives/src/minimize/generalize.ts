import type { DateUnit } from '../specification/minimize.js';
import { decimalOf, floorTo, formatDecimal, parseDecimal, toDouble, truncateTo } from './decimal.js';
import type { Decimal } from './decimal.js';

/**
 * The multiple of a step at or below the number. Numbers stay numbers; decimal strings (exact money) stay strings, with their
 * decimals or as many more as the multiple has.
 */
export function generalizeNumber(value: unknown, step: Decimal): unknown {
  // An integer has no multiple of a fraction below it in its own type.
  if (typeof value === 'bigint')
    return step.scale === 0 ? floorTo({ digits: value, scale: 0 }, step).digits : null;
  const number = readNumber(value);
  if (number === undefined) return null;
  const lower = floorTo(number, step);
  return typeof value === 'number' ? toDouble(lower) : formatDecimal(lower, number.scale);
}

/** Truncates instead of rounding, so that the result names the cell that contains the coordinate. */
export function cutDecimals(value: unknown, decimals: number): number | string | null {
  const number = readNumber(value);
  if (number === undefined) return null;
  const cut = truncateTo(number, decimals);
  return typeof value === 'number' ? toDouble(cut) : formatDecimal(cut, cut.scale);
}

function readNumber(value: unknown): Decimal | undefined {
  if (typeof value === 'number') return decimalOf(value);
  return typeof value === 'string' ? parseDecimal(value) : undefined;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})(T.*)?$/;

/** A date stays a date, a string a string. */
export function generalizeDate(value: unknown, unit: DateUnit): Date | string | null {
  const text = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value;
  const match = typeof text === 'string' ? DATE.exec(text) : null;
  if (match === null) return null;
  const [, year = '', month = '', day = '', time] = match;
  const first = {
    DAY: `${year}-${month}-${day}`,
    MONTH: `${year}-${month}-01`,
    YEAR: `${year}-01-01`,
    DECADE: `${year.slice(0, 3)}0-01-01`,
  }[unit];
  const shortened = time === undefined ? first : `${first}T00:00:00.000Z`;
  return value instanceof Date ? new Date(`${first}T00:00:00.000Z`) : shortened;
}
