import { GraphQLScalarType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { localDateAtMidnight, localMidnight } from '../../directives/src/minimize/calendar-date.js';
import { TimeZone } from '../../directives/src/minimize/time-zone.js';
import { testedSubgraph } from './support.js';
import type { TestedSubgraph } from './support.js';

const scalars = {
  /** Like that of graphql-scalars. */
  DateTime: new GraphQLScalarType<unknown, unknown>({
    name: 'DateTime',
    serialize: (value) => (value instanceof Date ? value.toISOString() : value),
  }),
  Day: new GraphQLScalarType<unknown, unknown>({
    name: 'Day',
    serialize: (value) => (value instanceof Date ? value.toISOString().slice(0, 10) : value),
  }),
  Seconds: new GraphQLScalarType<unknown, unknown>({
    name: 'Seconds',
    serialize: (value) => (value as Date).getTime() / 1_000,
  }),
  Temporal: new GraphQLScalarType<unknown, unknown>({ name: 'Temporal', serialize: String }),
};

function subgraphOf(type: string, by: string, value?: unknown): TestedSubgraph {
  const sdl = `scalar DateTime scalar Day scalar Seconds scalar Temporal scalar Free
    type Query { x: ${type} @public @minimize(to: GENERALIZE, ${by}) }`;
  return testedSubgraph(sdl, { ...scalars, Query: { x: () => value } });
}

async function generalized(type: string, by: string, value: unknown): Promise<unknown> {
  const { data, errors } = await subgraphOf(type, by, value).ask('{ x }');
  expect(errors).toBeUndefined();
  return data?.x;
}

describe('a date is generalized to the first day of its unit', () => {
  it.each([
    ['DAY', '2026-05-17'],
    ['MONTH', '2026-05-01'],
    ['YEAR', '2026-01-01'],
    ['DECADE', '2020-01-01'],
  ])('%s', async (unit, first) => {
    const by = `unit: ${unit}`;
    expect(await generalized('String', by, '2026-05-17')).toBe(first);
    expect(await generalized('DateTime', by, new Date('2026-05-17T23:59:59.999Z'))).toBe(
      `${first}T00:00:00.000Z`,
    );
  });

  it.each([
    // Without a time.
    ['1990-01-01', '1990-01-01'],
    ['0099-12-31', '0099-01-01'],
    ['0000-02-29', '0000-01-01'],
    ['9999-12-31', '9999-01-01'],
    ['2024-02-29[u-ca=iso8601]', '2024-01-01'],
    // With a time, and nothing about where.
    ['2026-05-17T10:11', '2026-01-01T00:00:00.000'],
    ['2026-05-17T10:11:12.123456789', '2026-01-01T00:00:00.000'],
    ['2026-05-17 10:11:12', '2026-01-01 00:00:00'],
    ['2026-05-17 23:59:60.5', '2026-01-01 00:00:00'],
    // With an offset: the date is the one that is written.
    ['2026-05-17T10:11:12Z', '2026-01-01T00:00:00.000Z'],
    ['2026-05-17t10:11:12z', '2026-01-01T00:00:00.000Z'],
    ['1990-01-01T00:00:00+01:00', '1990-01-01T00:00:00.000Z'],
    ['1989-12-31T23:30:00-05:00', '1989-01-01T00:00:00.000Z'],
    ['1990-01-01T00:00:00+14', '1990-01-01T00:00:00.000Z'],
    ['1990-01-01 00:00:00+0100', '1990-01-01 00:00:00Z'],
    ['1890-01-01 00:00:00+01:05:21', '1890-01-01 00:00:00Z'],
    ['1990-01-01T00:30:00+01:00[Europe/Vienna][u-ca=iso8601]', '1990-01-01T00:00:00.000Z'],
  ])('a text stays in its form: %s', async (text, expected) => {
    for (const type of ['String', 'Free', 'Temporal'])
      expect(await generalized(type, 'unit: YEAR', text)).toBe(expected);
  });

  it.each([
    ['Seconds', new Date('2026-05-17T10:00:00Z'), Date.UTC(2026, 0, 1) / 1_000],
    ['String', new Date('2026-05-17T10:00:00Z'), String(Date.UTC(2026, 0, 1))],
    ['Free', Date.UTC(2026, 4, 17, 10), Date.UTC(2026, 0, 1)],
    ['Free', BigInt(Date.UTC(2026, 4, 17, 10)), BigInt(Date.UTC(2026, 0, 1))],
    ['Free', -1, Date.UTC(1969, 0, 1)],
    ['Free', new Date('2026-05-17T10:00:00Z'), new Date('2026-01-01T00:00:00Z')],
    ['String', Date.UTC(2026, 4, 17, 10), String(Date.UTC(2026, 0, 1))],
    ['Temporal', Date.UTC(2026, 4, 17, 10), String(Date.UTC(2026, 0, 1))],
    // Luxon's DateTime and others.
    ['String', { valueOf: () => Date.UTC(2026, 4, 17, 10) }, String(Date.UTC(2026, 0, 1))],
  ])('a number stays one, and counts milliseconds: %s of %o', async (type, value, expected) => {
    expect(await generalized(type, 'unit: YEAR', value)).toEqual(expected);
  });

  it('the objects of Temporal are read as they are written', async () => {
    const temporal = {
      toString: () => '2026-05-17T00:30:00+02:00[Europe/Vienna]',
      valueOf: () => {
        throw new TypeError('use compare()');
      },
    };
    expect(await generalized('Temporal', 'unit: MONTH', temporal)).toBe('2026-05-01T00:00:00.000Z');
    const by = 'unit: MONTH, timeZone: "UTC"';
    expect(await generalized('Temporal', by, temporal)).toBe('2026-05-01T00:00:00.000+00:00');
  });

  it.each(['1778976000000', '20260517', 'May 17, 2026', '2026-02-30'])(
    'a text that is no date is null: %s',
    async (text) => {
      const subgraph = subgraphOf('String', 'unit: YEAR', text);
      expect(await subgraph.ask('{ x }')).toMatchObject({ data: { x: null } });
      expect(subgraph.logged.map(({ code }) => code)).toEqual(['VALUE_NOT_MINIMIZED']);
    },
  );
});

/** Writes itself as JSON, as the objects of Luxon, Moment and Day.js do. */
class Written {
  constructor(readonly text: string) {}
  toJSON(): string {
    return this.text;
  }
}

describe('a scalar that leaves a date to JSON', () => {
  const dated = new GraphQLScalarType<unknown, unknown>({
    name: 'DateTime',
    // As graphql-scalars does.
    serialize: (value) => (value instanceof Date ? value : new Date(value as string)),
  });

  it.each([
    ['a text', '2026-05-17T10:11:12Z'],
    ['a number', 1_779_012_672_000],
    ['a date', new Date(1_779_012_672_000)],
  ])('still has a text of %s', async (_kind, value) => {
    const sdl = `scalar DateTime type Query { x: DateTime @public @minimize(to: GENERALIZE, unit: YEAR)
      y: DateTime @public @minimize(to: GENERALIZE, unit: YEAR, timeZone: "Europe/Vienna") }`;
    const subgraph = testedSubgraph(sdl, { DateTime: dated, Query: { x: () => value, y: () => value } });
    const { data, errors } = await subgraph.ask('{ x y }');
    expect(errors).toBeUndefined();
    expect(JSON.parse(JSON.stringify(data))).toEqual({
      x: '2026-01-01T00:00:00.000Z',
      y: '2025-12-31T23:00:00.000Z',
    });
  });

  it.each([
    ['2026-05-17T10:11:12.000+02:00', '2026-01-01T00:00:00.000Z'],
    ['2026-05-17', '2026-01-01'],
  ])('still has a text of an object that is written as %s', async (text, first) => {
    expect(await generalized('Free', 'unit: YEAR', new Written(text))).toBe(first);
  });
});

it.each([
  ['unit: YEAR', '2016-12-31T23:59:60Z', '2016-01-01T00:00:00.000Z'],
  ['unit: YEAR, timeZone: "UTC"', '2016-12-31T23:59:60Z', '2016-01-01T00:00:00.000+00:00'],
  ['unit: DAY, timeZone: "Europe/Vienna"', '2016-12-31T22:59:60.5Z', '2016-12-31T00:00:00.000+01:00'],
])('a leap second is of the day that it ends: %s, %s', async (by, value, first) => {
  expect(await generalized('String', by, value)).toBe(first);
});

describe('timeZone says where a time is a date', () => {
  const AT = '1989-12-31T23:30:00.000Z';

  it.each([
    ['Europe/Vienna', '1990-01-01T00:00:00.000+01:00'],
    ['UTC', '1989-01-01T00:00:00.000+00:00'],
    ['America/Los_Angeles', '1989-01-01T00:00:00.000-08:00'],
    // Since 1995 it is on the other side of the date line.
    ['Pacific/Kiritimati', '1989-01-01T00:00:00.000-10:00'],
    ['Pacific/Auckland', '1990-01-01T00:00:00.000+13:00'],
    ['Asia/Kolkata', '1990-01-01T00:00:00.000+05:30'],
  ])('%s', async (zone, expected) => {
    const by = `unit: YEAR, timeZone: "${zone}"`;
    for (const value of [AT, new Date(AT), '1990-01-01T00:30:00+01:00', '1989-12-31T18:30:00-05'])
      expect(await generalized('DateTime', by, value)).toBe(expected);
    expect(await generalized('Day', by, new Date(AT))).toBe(expected.slice(0, 10));
    expect(await generalized('String', by, AT.replace('T', ' '))).toBe(
      expected.replace('T', ' ').replace('.000', ''),
    );
    const ms = Date.parse(expected);
    expect(await generalized('Free', by, Date.parse(AT))).toBe(ms);
    expect(await generalized('Free', by, BigInt(Date.parse(AT)))).toBe(BigInt(ms));
    expect(await generalized('Free', by, new Date(AT))).toEqual(new Date(ms));
    expect(await generalized('Seconds', by, new Date(AT))).toBe(ms / 1_000);
  });

  it('changes no date that says nothing about where', async () => {
    for (const text of ['1990-01-01', '1990-01-01T00:30:00', '1990-01-01 00:30:00'])
      expect(await generalized('String', 'unit: DAY, timeZone: "America/Los_Angeles"', text)).toMatch(
        /^1990-01-01/,
      );
  });

  it('does not tell summer from winter by the offset', async () => {
    const by = 'unit: YEAR, timeZone: "Europe/Vienna"';
    expect(await generalized('String', by, '2026-07-01T10:00:00+02:00')).toBe(
      await generalized('String', by, '2026-12-01T10:00:00+01:00'),
    );
  });

  it('is null of a year that is not written with four digits', async () => {
    const by = 'unit: DAY, timeZone: "Europe/Vienna"';
    for (const value of [new Date('+010000-01-01T10:00:00Z'), new Date('-000001-01-01T10:00:00Z')])
      expect(await generalized('DateTime', by, value)).toBeNull();
    // In Vienna it was already the year 10000.
    expect(await generalized('DateTime', by, '9999-12-31T23:30:00Z')).toBeNull();
    expect(await generalized('DateTime', by, '0099-06-01T10:00:00Z')).toBe('0099-06-01T00:00:00.000+01:05');
  });

  it.each(['"Europe/Wien"', '"+02:00"', '"-0500"', '""', '" UTC"', '7', '["UTC"]'])(
    'stops the start if it is no name of the IANA database: %s',
    (zone) => {
      expect(() => subgraphOf('String', `unit: DAY, timeZone: ${zone}`)).toThrow(
        'Query.x: "timeZone" must be a name of the IANA database, such as "Europe/Vienna"',
      );
    },
  );

  it.each([
    ['to: GENERALIZE, step: 1, timeZone: "UTC"', '"timeZone" does not go with "step"'],
    ['to: GENERALIZE, decimals: 1, timeZone: "UTC"', '"timeZone" does not go with "decimals"'],
    ['to: MASK, timeZone: "UTC"', '@minimize(to: MASK) takes no "timeZone"'],
    ['to: GENERALIZE, timeZone: "UTC"', 'takes one of step, unit, decimals'],
    ['to: GENERALIZE, unit: HOUR', '"unit" must be one of DAY, WEEK, MONTH, QUARTER, YEAR, DECADE, CENTURY'],
  ])('goes with a unit: %s', (directive, message) => {
    expect(() =>
      testedSubgraph(`scalar Free type Query { x: Free @public @minimize(${directive}) }`),
    ).toThrow(`Query.x: ${message}`.replace('Query.x: takes', 'Query.x: @minimize(to: GENERALIZE) takes'));
  });

  it('may be null, which is not given', async () => {
    expect(await generalized('String', 'unit: DAY, timeZone: null', '2026-05-17')).toBe('2026-05-17');
  });
});

describe('a day in a time zone', () => {
  it.each([
    ['Europe/Vienna', '2026-03-29', '2026-03-28T23:00:00.000Z'],
    ['Europe/Vienna', '2026-10-25', '2026-10-24T22:00:00.000Z'],
    // The day after the clocks went forward.
    ['Europe/Vienna', '2026-03-30', '2026-03-29T22:00:00.000Z'],
    ['America/Los_Angeles', '2026-11-01', '2026-11-01T07:00:00.000Z'],
    // The clocks went forward at midnight: the day began at one.
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z'],
    // They went back at midnight, so the hour before was repeated.
    ['America/Sao_Paulo', '2018-02-18', '2018-02-18T03:00:00.000Z'],
    // They went back at one, so midnight was repeated.
    ['America/Havana', '2018-11-04', '2018-11-04T04:00:00.000Z'],
    // The zone crossed the date line, and skipped the day.
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z'],
    ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00.000Z'],
  ])('begins when its clocks say so: %s %s', (zone, day, expected) => {
    const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
    const ms = new TimeZone(zone).startOf({ year, month, day: date });
    expect(new Date(ms).toISOString()).toBe(expected);
  });

  it('is written as the zone writes it', async () => {
    const by = 'unit: DAY, timeZone: "America/Sao_Paulo"';
    expect(await generalized('String', by, '2018-11-04T15:00:00Z')).toBe('2018-11-04T01:00:00.000-02:00');
  });

  it('has an offset also at a fraction of a second, and before the epoch and our era', () => {
    const zone = new TimeZone('Europe/Vienna');
    const hour = 3_600_000;
    expect([0.5, 999, -1, -1_001].map((ms) => zone.offsetMs(ms))).toEqual([hour, hour, hour, hour]);
    // Local mean time.
    expect(zone.offsetMs(Date.parse('-000044-03-15T12:00:00Z'))).toBe(3_921_000);
    expect(new TimeZone('America/St_Johns').textsOf(0)).toEqual({
      local: '1969-12-31T20:30:00.000',
      offset: '-03:30',
    });
  });
});

describe('a day in the process’s own time zone', () => {
  it('begins at its midnight, and at no other time', () => {
    for (const date of [
      { year: 1990, month: 1, day: 1 },
      { year: 99, month: 12, day: 31 },
      { year: 2024, month: 2, day: 29 },
    ]) {
      const ms = localMidnight(date);
      expect(localDateAtMidnight(ms)).toEqual(date);
      for (const later of [1, 3_600_000]) expect(localDateAtMidnight(ms + later)).toBeUndefined();
    }
  });
});
