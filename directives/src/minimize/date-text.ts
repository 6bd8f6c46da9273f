import { calendarDate, utcMidnight } from './calendar-date.js';
import type { CalendarDate } from './calendar-date.js';

/** A date as it is written, by ISO 8601 or as databases do. */
export interface DateText {
  /** As written, whatever the offset. */
  readonly date: CalendarDate;
  /** Between the date and the time; undefined if there is no time. */
  readonly separator: 'T' | ' ' | undefined;
  /** Milliseconds since the epoch; undefined without an offset, because the text then does not say where. */
  readonly instant: number | undefined;
}

const DATE = /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})/;
const TIME =
  /^(?<separator>[Tt ])(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d)(?::(?<second>[0-5]\d|60)(?:[.,]\d{1,9})?)?/;
/** PostgreSQL writes hours alone, and seconds where a zone had them. */
const OFFSET =
  /^(?:(?<utc>[Zz])|(?<sign>[+-])(?<hours>[01]\d|2[0-3])(?::?(?<minutes>[0-5]\d))?(?::?(?<seconds>[0-5]\d))?)/;
/** `[Europe/Vienna]` and `[u-ca=iso8601]`, as Temporal writes them (RFC 9557). */
const ANNOTATIONS = /^(?:\[[^[\]]{1,64}\]){0,4}$/;

/** @returns undefined for anything else, and for a day that the calendar does not have */
export function readDateText(text: string): DateText | undefined {
  const [found, afterDate] = take(DATE, text);
  const date = calendarDate(Number(found.year), Number(found.month), Number(found.day));
  if (date === undefined) return undefined;
  const [time, afterTime] = take(TIME, afterDate);
  const [offset, rest] = time.separator === undefined ? [{}, afterTime] : take(OFFSET, afterTime);
  if (!ANNOTATIONS.test(rest)) return undefined;
  const separator = time.separator === undefined ? undefined : time.separator === ' ' ? ' ' : 'T';
  const hasOffset = offset.utc !== undefined || offset.sign !== undefined;
  return {
    date,
    separator,
    instant: hasOffset ? utcMidnight(date) + msOf(time) - offsetMs(offset) : undefined,
  };
}

type Groups = Readonly<Record<string, string | undefined>>;

/** The match of the pattern at the beginning of the text, and the rest of the text. */
function take(pattern: RegExp, text: string): readonly [Groups, string] {
  const match = pattern.exec(text);
  return match === null ? [{}, text] : [match.groups ?? {}, text.slice(match[0].length)];
}

function msOf({ hour, minute, second }: Groups): number {
  // A leap second, 60, still belongs to the minute that it is written in.
  const seconds = Math.min(count(second), 59);
  return ((count(hour) * 60 + count(minute)) * 60 + seconds) * 1_000;
}

function offsetMs({ sign, hours, minutes, seconds }: Groups): number {
  return (sign === '-' ? -1 : 1) * msOf({ hour: hours, minute: minutes, second: seconds });
}

/** Units that are left out are 0, and so are all of `Z`. */
function count(digits: string | undefined): number {
  return Number(digits ?? 0);
}
