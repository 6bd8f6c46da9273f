import type { DateUnit } from './date-unit.js';

/** A day of the (proleptic) Gregorian calendar, in no time zone. */
export interface CalendarDate {
  /** 0 to 9999, which four digits can write. */
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** The first day of the unit that the date lies in. */
export function firstDay({ year, month, day }: CalendarDate, unit: DateUnit): CalendarDate {
  switch (unit) {
    case 'DAY':
      return { year, month, day };
    case 'WEEK':
      return mondayBefore({ year, month, day });
    case 'MONTH':
      return { year, month, day: 1 };
    case 'QUARTER':
      return { year, month: month - ((month - 1) % 3), day: 1 };
    case 'YEAR':
      return { year, month: 1, day: 1 };
    case 'DECADE':
      return { year: year - (year % 10), month: 1, day: 1 };
    case 'CENTURY':
      return { year: year - (year % 100), month: 1, day: 1 };
  }
}

export const DAY_MS = 24 * 60 * 60 * 1_000;

/** The first day that four digits can write is a Saturday: its week begins there. */
function mondayBefore(date: CalendarDate): CalendarDate {
  const ms = utcMidnight(date);
  const sinceMonday = (new Date(ms).getUTCDay() + 6) % 7;
  return utcDate(ms - sinceMonday * DAY_MS) ?? { year: 0, month: 1, day: 1 };
}

/** Midnight of a day in UTC, in milliseconds since the epoch. */
export function utcMidnight({ year, month, day }: CalendarDate): number {
  // `Date.UTC` would take the year 99 for 1999.
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

/** The day in UTC. @returns undefined for an invalid time, or a year that four digits cannot write */
export function utcDate(ms: number): CalendarDate | undefined {
  const date = new Date(ms);
  return calendarDate(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
}

/**
 * The day in the process's own time zone, if it begins at this time. Drivers make such a `Date` of a column without a time.
 *
 * @returns undefined for any other time
 */
export function localDateAtMidnight(ms: number): CalendarDate | undefined {
  const date = new Date(ms);
  // Where a day begins later than midnight, this is its beginning.
  if (new Date(ms).setHours(0, 0, 0, 0) !== ms) return undefined;
  return calendarDate(date.getFullYear(), date.getMonth() + 1, date.getDate());
}

/** The beginning of a day in the process's own time zone, in milliseconds since the epoch. */
export function localMidnight({ year, month, day }: CalendarDate): number {
  const date = new Date(0);
  date.setFullYear(year, month - 1, day);
  return date.setHours(0, 0, 0, 0);
}

/**
 * @param day at most two digits
 * @returns undefined for a day that the calendar does not have
 */
export function calendarDate(year: number, month: number, day: number): CalendarDate | undefined {
  if (!(year >= 0 && year <= 9_999)) return undefined;
  const date = { year, month, day };
  // A day that its month does not have is one of another month.
  return new Date(utcMidnight(date)).getUTCMonth() + 1 === month ? date : undefined;
}

export function dateText({ year, month, day }: CalendarDate): string {
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
}

export function padded(number: number, length: number): string {
  return String(number).padStart(length, '0');
}
