import { GraphQLScalarType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  calendarDate,
  localDateAtMidnight,
  localMidnight,
} from '../../directives/src/minimize/calendar-date.js';
import { shiftDate } from '../../directives/src/minimize/shift-date.js';
import { testedSubgraph } from './support.js';

/** Writes dates otherwise than ISO 8601 does. */
const German = (name: string, parts: (date: Date) => readonly number[]): GraphQLScalarType =>
  new GraphQLScalarType({ name, serialize: (date) => parts(date as Date).join('.') });
const scalars = {
  DateTime: new GraphQLScalarType({ name: 'DateTime', serialize: (date) => (date as Date).toISOString() }),
  UtcDay: new GraphQLScalarType({
    name: 'UtcDay',
    serialize: (date) => (date as Date).toISOString().slice(0, 10),
  }),
  Epoch: new GraphQLScalarType({ name: 'Epoch', serialize: Number }),
  LocalGerman: German('LocalGerman', (date) => [
    date.getDate(),
    date.getMonth() + 1,
    date.getFullYear(),
    date.getHours(),
  ]),
  UtcGerman: German('UtcGerman', (date) => [
    date.getUTCDate(),
    date.getUTCMonth() + 1,
    date.getUTCFullYear(),
  ]),
};

async function firstOfYear(type: string, value: unknown, timeZone?: string): Promise<unknown> {
  const by = `unit: YEAR${timeZone === undefined ? '' : `, timeZone: "${timeZone}"`}`;
  const sdl = `${Object.keys(scalars)
    .map((name) => `scalar ${name}`)
    .join(' ')}
    type Query { x: ${type} @public @minimize(to: GENERALIZE, ${by}) }`;
  const { data, errors } = await testedSubgraph(sdl, { ...scalars, Query: { x: () => value } }).ask('{ x }');
  expect(errors).toBeUndefined();
  return data?.x;
}

// From the autumn of 1968 to that of 1971 London was an hour ahead of UTC, all year round.
describe('in a process in London', () => {
  beforeAll(() => {
    vi.stubEnv('TZ', 'Europe/London');
    expect([1971, 1972].map((year) => new Date(year, 0, 1).getTimezoneOffset())).toEqual([-60, 0]);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });

  it('moves a date that a driver made to a midnight, and a time by whole days', () => {
    type Moment = readonly [number, number, number, number?];
    const at = ([year, month, day, hour = 0]: Moment): Date => new Date(year, month, day, hour);
    for (const [from, days, to] of [
      [[1971, 6, 1], 1, [1971, 6, 2]],
      // From an hour ahead of UTC to none.
      [[1971, 9, 30], 3, [1971, 10, 2]],
      [[1971, 6, 1, 12], 1, [1971, 6, 2, 12]],
    ] as [Moment, number, Moment][]) {
      expect(shiftDate('x', at(from), days)).toEqual(at(to));
    }
    expect(shiftDate('x', at([9999, 6, 1]), 300)).toBeNull();
  });

  const newYear = Date.UTC(1971, 0, 1);
  /** As drivers make a date of a column without a time, while the local year has begun and that of UTC has not. */
  const local = (): Date => new Date(1971, 0, 1);

  it.each([
    ['DateTime', '1971-01-01T00:00:00.000Z'],
    ['UtcDay', '1971-01-01'],
    ['Epoch', newYear],
    ['String', String(newYear)],
    ['LocalGerman', '1.1.1971.0'],
  ])('the midnight of a day is that day: %s', async (type, expected) => {
    expect(local().toISOString()).toBe('1970-12-31T23:00:00.000Z');
    expect(await firstOfYear(type, local())).toBe(expected);
    expect(await firstOfYear(type, new Date(1971, 4, 17))).toBe(expected);
  });

  it('a number of such a midnight is that day, too', async () => {
    expect(await firstOfYear('Epoch', local().getTime())).toBe(newYear);
    expect(await firstOfYear('String', local().getTime())).toBe(String(newYear));
  });

  it.each([
    ['DateTime', '1971-01-01T00:00:00.000Z'],
    ['UtcDay', '1971-01-01'],
    ['Epoch', newYear],
    ['String', String(newYear)],
    ['UtcGerman', '1.1.1971'],
  ])('any other time is in UTC, and so is a midnight of both: %s', async (type, expected) => {
    for (const time of ['1971-01-01T00:00:00Z', '1971-05-17T10:11:12Z', '1971-11-15T00:00:00Z'])
      expect(await firstOfYear(type, new Date(time))).toBe(expected);
    expect(await firstOfYear(type, new Date('1970-12-31T23:00:01Z'))).not.toBe(expected);
  });

  it('a midnight of the process is no date of its own where the field has a time zone', async () => {
    expect(await firstOfYear('UtcGerman', new Date(1971, 4, 17), 'UTC')).toBe('1.1.1971');
    expect(await firstOfYear('Epoch', local(), 'UTC')).toBe(Date.UTC(1970, 0, 1));
    expect(await firstOfYear('DateTime', local(), 'UTC')).toBe('1970-01-01T00:00:00.000+00:00');
  });

  it('a day begins at its midnight, in winter and in summer', () => {
    for (const [year, month, day] of [
      [1970, 1, 1],
      [1971, 12, 31],
      [2026, 1, 1],
      [2026, 7, 1],
    ] as const) {
      const date = calendarDate(year, month, day);
      if (date === undefined) throw new Error('no such day');
      expect(localMidnight(date)).toBe(new Date(year, month - 1, day).getTime());
      expect(localDateAtMidnight(localMidnight(date))).toEqual(date);
    }
  });
});
