import type { DateUnit } from '../specification/minimize.js';

/** Numbers stay numbers; decimal strings (exact money) stay strings with the same decimals. */
export function generalizeNumber(value: unknown, step: number): unknown {
  if (typeof value === 'number') return Math.floor(value / step) * step;
  if (typeof value === 'bigint') {
    const whole = BigInt(Math.max(1, Math.trunc(step)));
    const rest = value % whole;
    return value - (rest < 0n ? rest + whole : rest);
  }
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) {
    const decimals = value.split('.')[1]?.length ?? 0;
    const lower = Math.floor(Number(value) / step) * step;
    return Number.isFinite(lower) ? lower.toFixed(decimals) : null;
  }
  return null;
}

/** Truncates instead of rounding, so that the result names the cell that contains the coordinate. */
export function cutDecimals(value: unknown, factor: number): number | null {
  return typeof value === 'number' ? Math.trunc(value * factor) / factor : null;
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
