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
