import fc from 'fast-check';
import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLScalarType,
  GraphQLString,
} from 'graphql';
import type { GraphQLOutputType } from 'graphql';
import { cellToParent, getResolution, latLngToCell } from 'h3-js';
import { describe, expect, it } from 'vitest';
import { FinishedValue } from '../../directives/src/minimize/finished-value.js';
import { compileMinimizer } from '../../directives/src/minimize/minimizer.js';
import { minimize } from '../../directives/src/specification/minimize.js';

type Minimized = (value: unknown) => unknown;

function generalize(
  args: Readonly<Record<string, unknown>>,
  type: GraphQLOutputType = GraphQLString,
): Minimized {
  const { statement } = minimize.compile({ to: 'GENERALIZE', ...args }, 'Query.x');
  const input = { coordinate: 'Query.x', pseudonymKey: undefined, onUnreadable: () => undefined };
  const minimizer = compileMinimizer({ ...input, statement, type });
  return (value) => minimizer(value, { clientId: 'app' });
}

const refusal = (message: string) => expect.objectContaining({ code: 'INVALID_RULE', message }) as Error;

describe('bounds', () => {
  it.each([
    [{ step: 10, min: 20, max: 80 }, [3, 20, 29, 30, 79.5, 80, 81, 1e9], [20, 20, 20, 30, 70, 80, 80, 80]],
    [{ step: 10, max: 80 }, [-5, 95], [-10, 80]],
    [{ step: 0.5, min: -1 }, [-7.25, -1, 0.75], [-1, -1, 0.5]],
  ])('%j', (args, given, expected) => {
    expect(given.map(generalize(args, GraphQLFloat))).toEqual(expected);
    expect(given.map(String).map(generalize(args))).toEqual(
      expected.map((each) => expect.stringMatching(new RegExp(`^${each}(?:\\.?0+)?$`)) as string),
    );
  });

  it('hold for bigints, exactly', () => {
    const Long = new GraphQLScalarType({ name: 'Long', serialize: (value) => value });
    const by = generalize({ step: 100, min: 200 }, Long);
    expect([by(5n), by(10n ** 20n + 1n)]).toEqual([new FinishedValue(200n), new FinishedValue(10n ** 20n)]);
  });

  it.each([
    [{ step: 10, min: 25 }, '"min" and "max" must be multiples of "step"'],
    [{ step: 10, max: 25 }, '"min" and "max" must be multiples of "step"'],
    [{ step: 10, min: 50, max: 50 }, '"min" must be below "max"'],
    [{ step: 10, min: 'x' }, '"min" must be a number'],
    [
      { step: 10, max: 1.234567890123456 },
      '"max" must have at most 15 digits, zeros at its ends not counted',
    ],
    [{ buckets: [1], min: 0 }, '"min" does not go with "buckets"'],
  ])('stop the start: %j', (args, message) => {
    expect(() => generalize(args, GraphQLFloat)).toThrow(refusal(`Query.x: ${message}`));
  });
});

describe('buckets', () => {
  it('begin at their own numbers, and the first holds what is less', () => {
    const by = generalize({ buckets: [0, 18, 65] }, GraphQLInt);
    expect([-3, 0, 17, 18, 64, 65, 120].map(by)).toEqual([0, 0, 0, 18, 18, 65, 65]);
    expect(generalize({ buckets: [0, 18, 65] })('64.50')).toBe('18.00');
  });

  it('hold for bigints, exactly, if they are whole', () => {
    const Long = new GraphQLScalarType({ name: 'Long', serialize: (value) => value });
    const by = generalize({ buckets: [0, 100] }, Long);
    expect([by(99n), by(10n ** 20n)]).toEqual([new FinishedValue(0n), new FinishedValue(100n)]);
    const Any = new GraphQLScalarType({ name: 'Any', serialize: (value) => value });
    expect(generalize({ buckets: [0.5] }, Any)(7n)).toBeNull();
    expect(generalize({ step: 0.5 }, Any)(7n)).toBeNull();
  });

  it('are at most a thousand', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => index);
    expect(generalize({ buckets: many }, GraphQLInt)(999)).toBe(999);
    expect(() => generalize({ buckets: [...many, 1_000] }, GraphQLInt)).toThrow('"buckets" must be numbers');
  });

  it('can have names in fields of text', () => {
    const by = generalize({ buckets: [0, 18, 65], names: ['child', 'adult', 'senior'] });
    expect(['-1', '17.99', '18', '1e3', 'x'].map(by)).toEqual(['child', 'child', 'adult', 'senior', null]);
  });

  it('are found as looking at each would find them (property)', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: -1_100, max: 1_100 }), (unsorted, value) => {
        const buckets = [...unsorted].sort((a, b) => a - b);
        const expected = buckets.findLast((each) => each <= value) ?? buckets[0];
        expect(generalize({ buckets }, GraphQLInt)(value)).toBe(expected);
      }),
    );
  });

  const ORDER = '"buckets" must be numbers in ascending order';
  it.each<[object, GraphQLOutputType, string]>([
    [{ buckets: [] }, GraphQLInt, ORDER],
    [{ buckets: [2, 1] }, GraphQLInt, ORDER],
    [{ buckets: [1, 1] }, GraphQLInt, ORDER],
    [{ buckets: [Number.NaN] }, GraphQLInt, ORDER],
    [{ buckets: ['1'] }, GraphQLInt, ORDER],
    [{ buckets: 1 }, GraphQLInt, ORDER],
    [{ buckets: [0, 0.5] }, GraphQLInt, '"buckets" of a Int are whole'],
    [
      { buckets: [1.234567890123456] },
      GraphQLFloat,
      '"buckets" must have at most 15 digits, zeros at its ends not counted',
    ],
    [{ buckets: [1], names: 'a' }, GraphQLString, '"names" must be a list of strings'],
    [{ buckets: [1] }, GraphQLBoolean, '@minimize(to: GENERALIZE) needs a field of type a number'],
    [{ buckets: [1, 2], names: ['a'] }, GraphQLString, '"names" must have a name of its own for each bucket'],
    [
      { buckets: [1, 2], names: ['a', 'a'] },
      GraphQLString,
      '"names" must have a name of its own for each bucket',
    ],
    [
      { buckets: [1], names: ['a'] },
      GraphQLInt,
      '@minimize(to: GENERALIZE) needs a field of type String or ID, to be a name',
    ],
  ])('stop the start: %j on %s', (args, type, message) => {
    expect(() => generalize({ ...args }, type)).toThrow(refusal(`Query.x: ${message}`));
  });
});

describe('units of the calendar', () => {
  it.each([
    ['WEEK', '2026-11-30', '2026-11-30'],
    ['WEEK', '2026-12-06', '2026-11-30'],
    ['WEEK', '2027-01-01', '2026-12-28'],
    ['WEEK', '0000-01-01', '0000-01-01'],
    ['QUARTER', '2026-01-31', '2026-01-01'],
    ['QUARTER', '2026-06-30', '2026-04-01'],
    ['QUARTER', '2026-12-31T23:59:59Z', '2026-10-01T00:00:00.000Z'],
    ['CENTURY', '1999-12-31', '1900-01-01'],
  ])('%s of %s', (unit, date, expected) => {
    expect(generalize({ unit })(date)).toBe(expected);
  });
});

/** As browsers and Node write an IPv6 address (RFC 5952). */
const canonical = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1);

describe('IP addresses', () => {
  it.each([
    [{ ipv4: 24 }, '198.51.100.77', '198.51.100.0'],
    [{ ipv4: 20 }, '198.51.100.77', '198.51.96.0'],
    [{ ipv4: 32 }, '198.51.100.77', '198.51.100.77'],
    [{ ipv4: 0, ipv6: 64 }, '198.51.100.77', '0.0.0.0'],
    [{ ipv6: 48 }, '198.51.100.77', '0.0.0.0'],
    [{ ipv6: 48 }, '2001:db8:1234:5678:9abc:def0:1:2', '2001:db8:1234::'],
    [{ ipv6: 44 }, '2001:DB8:1234::1', '2001:db8:1230::'],
    [{ ipv6: 128 }, '::1', '::1'],
    [{ ipv6: 128 }, '1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    [{ ipv6: 128 }, '1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    [{ ipv6: 0 }, '2001:db8::1', '::'],
    [{ ipv4: 24 }, '2001:db8::1', '::'],
    [{ ipv4: 16 }, '::ffff:198.51.100.77', '::ffff:198.51.0.0'],
    [{ ipv4: 16, ipv6: 128 }, '::ffff:c633:644d', '::ffff:198.51.0.0'],
    [{ ipv6: 128 }, '64:ff9b::198.51.100.77', '64:ff9b::c633:644d'],
    [{ ipv6: 128 }, '1::ffff:c633:644d', '1::ffff:c633:644d'],
    [{ ipv6: 128 }, '0:0:0:0:1:ffff:c633:644d', '::1:ffff:c633:644d'],
    [{ ipv6: 128 }, '1:2:3:4:5:6:198.51.100.77', '1:2:3:4:5:6:c633:644d'],
    [{ ipv6: 64 }, 'fe80::1%eth0', null],
    [{ ipv4: 8 }, '1.2.3', null],
    [{ ipv4: 8 }, '1.2.3.256', null],
    [{ ipv4: 8 }, '', null],
  ])('%j of %s', (args, address, expected) => {
    expect(generalize(args)(address)).toBe(expected);
  });

  it('are written as others write them, and keep exactly their prefix (property)', () => {
    const bits = (address: string): string =>
      canonical(address)
        .split('::')
        .map((half) => half.split(':').filter((group) => group !== ''))
        .reduce((all, half, index, halves) => {
          const missing = 8 - halves.flat().length;
          return index === 0 ? half : [...all, ...Array<string>(missing).fill('0'), ...half];
        }, [])
        .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
        .join('');
    fc.assert(
      fc.property(fc.ipV6(), fc.integer({ min: 0, max: 128 }), (address, kept) => {
        fc.pre(!canonical(address).startsWith('::ffff:'));
        const result = String(generalize({ ipv6: kept })(address));
        expect(result).toBe(canonical(result));
        expect(bits(result)).toBe(bits(address).slice(0, kept).padEnd(128, '0'));
      }),
    );
  });
});

describe('parts of addresses', () => {
  it.each([
    ['EMAIL_DOMAIN', 'a.nowak@example.com', 'example.com'],
    ['EMAIL_DOMAIN', '"a@b"@example.com', 'example.com'],
    ['EMAIL_DOMAIN', '@example.com', null],
    ['EMAIL_DOMAIN', 'nobody', null],
    ['EMAIL_DOMAIN', 'a@', null],
    ['EMAIL_DOMAIN', 'a@b c', null],
    ['PHONE_COUNTRY', '+43 664 1234567', '+43'],
    ['PHONE_COUNTRY', '0043 (0)664/1234567', '+43'],
    ['PHONE_COUNTRY', '+1 (212) 555-0100', '+1'],
    ['PHONE_COUNTRY', '+7 495 123-45-67', '+7'],
    ['PHONE_COUNTRY', '+353 1 234 5678', '+353'],
    ['PHONE_COUNTRY', '+385 1 234 5678', '+385'],
    ['PHONE_COUNTRY', '0664 1234567', null],
    ['PHONE_COUNTRY', '+0 664 1234567', null],
    ['PHONE_COUNTRY', '+43', null],
    ['PHONE_COUNTRY', '+43 12', null],
    ['PHONE_COUNTRY', '+43 123', '+43'],
    ['PHONE_COUNTRY', '+43 6641234567890', '+43'],
    ['PHONE_COUNTRY', '', null],
    ['PHONE_COUNTRY', '+43 664 123456789012', null],
    ['PHONE_COUNTRY', '+43 call me', null],
  ])('%s of %s', (part, text, expected) => {
    expect(generalize({ part })(text)).toBe(expected);
  });
});

describe('cells', () => {
  it.each([
    [5, 'u2edk8z5', 'u2edk'],
    [12, 'u2edk', 'u2edk'],
    [3, 'U2EDK', 'U2E'],
    [3, 'a2', null],
    [3, '48.2,16.4', null],
    [3, '', null],
  ])('a geohash of %d characters: %s', (geohash, text, expected) => {
    expect(generalize({ geohash })(text)).toBe(expected);
  });

  it('is of any scalar that is no number for IP addresses', () => {
    const Address = new GraphQLScalarType({ name: 'IPAddress' });
    expect(generalize({ ipv4: 8 }, Address)('198.51.100.77')).toEqual(new FinishedValue('198.0.0.0'));
  });

  it('an H3 cell is its parent, as H3 computes it (property)', () => {
    const place = fc.record({
      lat: fc.double({ min: -90, max: 90, noNaN: true }),
      lng: fc.double({ min: -180, max: 180, noNaN: true }),
      of: fc.integer({ min: 0, max: 15 }),
      to: fc.integer({ min: 0, max: 15 }),
    });
    fc.assert(
      fc.property(place, ({ lat, lng, of, to }) => {
        const cell = latLngToCell(lat, lng, of);
        const result = String(generalize({ h3: to })(cell));
        expect(result).toBe(to < of ? cellToParent(cell, to) : cell);
        expect(getResolution(result)).toBe(Math.min(of, to));
      }),
    );
  });

  it.each([
    '',
    'x',
    '8f1e15b7105d08',
    'ff1e15b7105d083',
    '88f1e15b7105d083',
    '9f1e15b7105d083',
    '8ff415b7105d083',
    '1f1e15b7105d083',
    '8ffe15b7105d083',
    '48.2,16.4',
  ])('what is no H3 cell is null: %j', (text) => {
    expect(generalize({ h3: 5 })(text)).toBeNull();
  });
});

describe('a way to generalize', () => {
  const ONE =
    '@minimize(to: GENERALIZE) takes one of step, unit, decimals, buckets, ipv4, ipv6, part, geohash, h3, hierarchy';

  it.each([
    [{}, ONE],
    [{ step: 1, unit: 'DAY' }, ONE],
    [{ geohash: 3, h3: 3 }, ONE],
    [{ timeZone: 'UTC' }, ONE],
    [{ step: 1, timeZone: 'UTC' }, '"timeZone" does not go with "step"'],
    [{ unit: 'DAY', names: ['a'] }, '"names" does not go with "unit"'],
    [{ ipv4: 33 }, '"ipv4" must be a whole number from 0 to 32'],
    [{ ipv6: 129 }, '"ipv6" must be a whole number from 0 to 128'],
    [{ geohash: 0 }, '"geohash" must be a whole number from 1 to 12'],
    [{ h3: 16 }, '"h3" must be a whole number from 0 to 15'],
    [{ part: 'EMAIL' }, '"part" must be one of EMAIL_DOMAIN, PHONE_COUNTRY'],
    [{ unit: 'MONHT' }, expect.stringContaining('did you mean MONTH?') as string],
  ])('is one, with its own arguments: %j', (args, message) => {
    const wanted = typeof message === 'string' ? `Query.x: ${message}` : message;
    expect(() => generalize(args, new GraphQLNonNull(GraphQLString))).toThrow(
      expect.objectContaining({ code: 'INVALID_RULE', message: wanted }) as Error,
    );
  });

  it.each([
    [{ part: 'EMAIL_DOMAIN' }, GraphQLInt],
    [{ geohash: 3 }, GraphQLFloat],
    [{ h3: 3 }, GraphQLInt],
    [{ ipv4: 8 }, GraphQLFloat],
    [{ ipv4: 8 }, GraphQLInt],
    [{ ipv6: 8 }, GraphQLBoolean],
  ])('fits its field: %j', (args, type) => {
    expect(() => generalize(args, type)).toThrow(
      refusal('Query.x: @minimize(to: GENERALIZE) needs a field of type String or ID'),
    );
  });
});
