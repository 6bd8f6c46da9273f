import { DAY_MS, padded, utcDate, utcMidnight } from './calendar-date.js';
import type { CalendarDate } from './calendar-date.js';

/** Days in one time zone of the IANA database. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError for an unknown name */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** The day at a time. @returns undefined for a year that four digits cannot write */
  dateAt(ms: number): CalendarDate | undefined {
    return utcDate(ms + this.offsetMs(ms));
  }

  /** The beginning of a day. If a zone has skipped the day, that of the next one. */
  startOf(date: CalendarDate): number {
    const asUtc = utcMidnight(date);
    // The offset may change on the day itself, so there are two candidates; in a night that is repeated both are midnight.
    const before = asUtc - this.offsetMs(asUtc - DAY_MS);
    const after = asUtc - this.offsetMs(asUtc + DAY_MS);
    const isOnDay = (ms: number): boolean => Math.floor((ms + this.offsetMs(ms)) / DAY_MS) * DAY_MS === asUtc;
    return [before, after].sort((a, b) => a - b).find(isOnDay) ?? before;
  }

  /** A time in the zone, such as `2026-05-17T00:00:00.000`, and the zone's offset at that time, such as `+02:00`. */
  textsOf(ms: number): { readonly local: string; readonly offset: string } {
    const offset = this.offsetMs(ms);
    // Offsets before standard time had seconds, which RFC 3339 cannot write.
    const minutes = Math.trunc(Math.abs(offset) / 60_000);
    const sign = offset < 0 ? '-' : '+';
    return {
      local: new Date(ms + offset).toISOString().slice(0, -1),
      offset: `${sign}${padded(Math.trunc(minutes / 60), 2)}:${padded(minutes % 60, 2)}`,
    };
  }

  /** Milliseconds that the zone's clocks are ahead of UTC. */
  offsetMs(ms: number): number {
    const wholeSeconds = Math.floor(ms / 1_000) * 1_000;
    const parts = new Map<string, string>(
      this.#format.formatToParts(wholeSeconds).map(({ type, value }) => [type, value]),
    );
    const part = (name: string): number => Number(parts.get(name));
    const year = parts.get('era')?.startsWith('B') === true ? 1 - part('year') : part('year');
    const midnight = utcMidnight({ year, month: part('month'), day: part('day') });
    return midnight + ((part('hour') * 60 + part('minute')) * 60 + part('second')) * 1_000 - wholeSeconds;
  }
}
