import type { DateUnit } from '../date-unit.js';
import {
  DAY_MS,
  dateText,
  firstDay,
  localDateAtMidnight,
  localMidnight,
  utcDate,
  utcMidnight,
} from '../calendar-date.js';
import type { CalendarDate } from '../calendar-date.js';
import { readDateText } from '../date-text.js';
import type { DateText } from '../date-text.js';
import type { TimeZone } from '../time-zone.js';

export interface DateGeneralization {
  readonly unit: DateUnit;
  /** Where a time is a date. Undefined: see {@link dateAt}. */
  readonly zone: TimeZone | undefined;
}

/**
 * The first day of the unit that a date lies in, in the form in which the field's type writes dates. A text that has no time has
 * none afterwards, and a time is that day's midnight.
 *
 * @param serialized as the field's type writes the value
 * @param value as the resolver returned it; a `Date` says more than its text
 * @returns null for what is no date; a `Date` that the type has yet to write
 */
export function generalizeDate(
  serialized: unknown,
  value: unknown,
  { unit, zone }: DateGeneralization,
): unknown {
  const text = typeof serialized === 'string' ? readDateText(serialized) : undefined;
  if (text !== undefined) {
    const date = dateOfText(text, instantOf(value), zone);
    return date === undefined ? null : writeText(firstDay(date, unit), text, zone);
  }
  // A type may make a `Date` of anything, for JSON to write.
  const isDate = value instanceof Date || serialized instanceof Date;
  const instant = value instanceof Date ? instantOf(value) : sentInstant(serialized, value);
  if (instant === undefined) return null;
  const date = typeof value === 'string' && zone === undefined ? utcDate(instant) : dateAt(instant, zone);
  if (date === undefined) return null;
  const first = firstDay(date, unit);
  const ms = zone?.startOf(first) ?? utcMidnight(first);
  if (isDate) {
    // A type that writes dates in its own way probably reads the process's time, if that is what it is given.
    const isOwnWay = typeof serialized === 'string' && serialized !== String(instant);
    const isLocal = zone === undefined && isOwnWay && localDateOf(instant) !== undefined;
    return new Date(isLocal ? localMidnight(first) : ms);
  }
  if (typeof serialized === 'bigint') return BigInt(ms);
  return typeof serialized === 'string' ? String(ms) : ms;
}

/** A number that is sent counts milliseconds since the epoch. So does a text, if it is all that a number or an object gave. */
function sentInstant(serialized: unknown, value: unknown): number | undefined {
  if (typeof serialized !== 'string') return instantOf(serialized);
  const instant = instantOf(value);
  return serialized === String(instant) ? instant : undefined;
}

/** Milliseconds since the epoch: of a `Date`, a number, a bigint, or an object of a library such as Luxon. */
function instantOf(value: unknown): number | undefined {
  const primitive = primitiveOf(value);
  if (typeof primitive !== 'number' && typeof primitive !== 'bigint') return undefined;
  const ms = new Date(Number(primitive)).getTime();
  return Number.isNaN(ms) ? undefined : ms;
}

function primitiveOf(value: unknown): unknown {
  try {
    return (Object(value) as object).valueOf();
  } catch {
    // The objects of Temporal refuse to be numbers.
  }
  return undefined;
}

function dateOfText(
  text: DateText,
  given: number | undefined,
  zone: TimeZone | undefined,
): CalendarDate | undefined {
  if (zone === undefined) return (given === undefined ? undefined : localDateOf(given)) ?? text.date;
  const instant = text.instant ?? given;
  return instant === undefined ? text.date : zone.dateAt(instant);
}

/**
 * The date at a time: in the zone, if there is one. Otherwise the time is in UTC, unless a day begins at it in the process's own
 * time zone: then a driver made it of a date.
 */
function dateAt(ms: number, zone: TimeZone | undefined): CalendarDate | undefined {
  return zone === undefined ? (localDateOf(ms) ?? utcDate(ms)) : zone.dateAt(ms);
}

/** @returns undefined unless a day begins in the process's own time zone, and none in UTC */
function localDateOf(ms: number): CalendarDate | undefined {
  return ms % DAY_MS === 0 ? undefined : localDateAtMidnight(ms);
}

function writeText(
  first: CalendarDate,
  { separator, instant }: DateText,
  zone: TimeZone | undefined,
): string {
  if (separator === undefined) return dateText(first);
  const midnight = `${dateText(first)}T00:00:00.000`;
  // The offset that was written would tell summer from winter.
  const { local, offset } =
    instant === undefined
      ? { local: midnight, offset: '' }
      : (zone?.textsOf(zone.startOf(first)) ?? { local: midnight, offset: 'Z' });
  return separator === 'T' ? `${local}${offset}` : `${local.slice(0, 19).replace('T', ' ')}${offset}`;
}
