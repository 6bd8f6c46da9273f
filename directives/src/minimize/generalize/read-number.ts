import { decimalOf, parseDecimal } from '../decimal.js';
import type { Decimal } from '../decimal.js';

/** A number, or the text of one (exact money). @returns undefined for anything else */
export function readNumber(value: unknown): Decimal | undefined {
  if (typeof value === 'bigint') return { digits: value, scale: 0 };
  if (typeof value === 'number') return decimalOf(value);
  return typeof value === 'string' ? parseDecimal(value) : undefined;
}
