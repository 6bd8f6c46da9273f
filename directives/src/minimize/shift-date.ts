import {
  dateText,
  DAY_MS,
  localDateAtMidnight,
  localMidnight,
  utcDate,
  utcMidnight,
} from './calendar-date.js';
import type { CalendarDate } from './calendar-date.js';
import { readDateText } from './date-text.js';

const ANNOTATION = /\[.*$/;
const DATE_LENGTH = 'YYYY-MM-DD'.length;
const SECONDS_LENGTH = 'YYYY-MM-DDThh:mm:ss'.length;
/** Of a second: what is read of a text ends with the second. */
const FRACTION = /[.,](\d{1,9})/;
const MAX_TIME_MS = 8.64e15;

/**
 * A date some days later or earlier. A day stays a day, and the time of a day stays as it is. A time with an offset is written in
 * UTC, because the offset would tell summer from winter.
 *
 * @param serialized as the field's type writes the value
 * @param value as the resolver returned it; a `Date` says more than its text
 * @param days may be negative
 * @returns null for what is no date, and for a day that four digits cannot write; a `Date` that the type has yet to write
 */
export function shiftDate(serialized: unknown, value: unknown, days: number): unknown {
  if (value instanceof Date || serialized instanceof Date) return shiftInstant(value, serialized, days);
  if (typeof serialized === 'number') return shiftMs(serialized, days);
  if (typeof serialized === 'bigint') return serialized + BigInt(days * DAY_MS);
  if (typeof serialized !== 'string') return null;
  const text = readDateText(serialized);
  if (text === undefined) return null;
  if (text.instant !== undefined) {
    const ms = shiftMs(text.instant, days);
    return ms === null || utcDate(ms) === undefined ? null : utcText(ms, serialized);
  }
  const date = shiftDay(text.date, days);
  if (date === undefined) return null;
  return `${dateText(date)}${serialized.slice(DATE_LENGTH).replace(ANNOTATION, '')}`;
}

/** With as many digits of a second as were written. */
function utcText(ms: number, written: string): string {
  const fraction = FRACTION.exec(written)?.[1];
  return `${new Date(ms).toISOString().slice(0, SECONDS_LENGTH)}${fraction === undefined ? '' : `.${fraction}`}Z`;
}

function shiftInstant(value: unknown, serialized: unknown, days: number): Date | null {
  const given = value instanceof Date ? value : serialized;
  const ms = given instanceof Date ? given.getTime() : Number.NaN;
  // A day at which this process's own day begins is a date that a driver made: it stays one when clocks change.
  const local = ms % DAY_MS === 0 ? undefined : localDateAtMidnight(ms);
  if (local === undefined) {
    const shifted = shiftMs(ms, days);
    return shifted === null ? null : new Date(shifted);
  }
  const date = shiftDay(local, days);
  return date === undefined ? null : new Date(localMidnight(date));
}

function shiftMs(ms: number, days: number): number | null {
  const shifted = ms + days * DAY_MS;
  return Math.abs(shifted) <= MAX_TIME_MS ? shifted : null;
}

function shiftDay(date: CalendarDate, days: number): CalendarDate | undefined {
  return utcDate(utcMidnight(date) + days * DAY_MS);
}
