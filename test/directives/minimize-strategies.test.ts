import { createHmac } from 'node:crypto';
import {
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLBoolean,
  GraphQLScalarType,
  GraphQLString,
} from 'graphql';
import type { GraphQLOutputType } from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import {
  acceptFinishedValues,
  FinishedValue,
  serializeLeaf,
} from '../../directives/src/minimize/finished-value.js';
import { readDateText } from '../../directives/src/minimize/date-text.js';
import { decimalOf } from '../../directives/src/minimize/decimal.js';
import type { Decimal } from '../../directives/src/minimize/decimal.js';
import { generalizeDate } from '../../directives/src/minimize/generalize/generalize-date.js';
import { cutDecimals } from '../../directives/src/minimize/generalize/decimals.js';
import { generalizeNumber } from '../../directives/src/minimize/generalize/step.js';
import { mask as maskText, truncate } from '../../directives/src/minimize/graphemes.js';
import { compileMinimizer } from '../../directives/src/minimize/minimizer.js';
import type { Minimizer } from '../../directives/src/minimize/minimizer.js';
import { addNoise, noiseGrid } from '../../directives/src/minimize/noise.js';
import { TimeZone } from '../../directives/src/minimize/time-zone.js';
import type { MinimizeStatement } from '../../directives/src/specification/minimize.js';
import { clusters } from './characters.js';

/** With a `*` for each hidden character. */
function mask(text: string, last: number): string {
  return maskText(text, { first: 0, last, showLength: true });
}

function stepOf(double: number): Decimal {
  const step = decimalOf(double);
  if (step === undefined) throw new Error('not a step');
  return step;
}

describe('GENERALIZE of numbers', () => {
  it.each([
    [1_234, 100, 1_200],
    [-1, 100, -100],
    [0, 100, 0],
    [12.5, 0.5, 12.5],
    [1_234n, 100, 1_200n],
    [1_200n, 100, 1_200n],
    [-1n, 100, -100n],
    [-100n, 100, -100n],
    [0n, 7, 0n],
    [10n ** 400n + 1n, 100, 10n ** 400n],
    [0.3, 0.1, 0.3],
    [-0.3, 0.1, -0.3],
    [0.29, 0.01, 0.29],
    [1.3, 0.25, 1.25],
    [-1.3, 0.25, -1.5],
    [-0, 100, 0],
    [1e21, 1e20, 1e21],
    [1.5e300, 1e300, 1e300],
    [5e-324, 1, 0],
    [-5e-324, 1, -1],
    [5e-324, 5e-324, 5e-324],
    [-1.5e308, 1e308, -Infinity],
    ['1234', 100, '1200'],
    ['1234.5', 100, '1200.0'],
    ['-0.5', 1, '-1.0'],
    ['12.345', 0.01, '12.340'],
    ['1.3', 0.25, '1.25'],
    ['-1.3', 0.25, '-1.5'],
    ['1.50', 0.25, '1.50'],
    ['2', 0.25, '2'],
    ['0.3', 0.1, '0.3'],
    ['12345678901234567890.12', 100, '12345678901234567800.00'],
    ['-12345678901234567890.12', 100, '-12345678901234567900.00'],
    ['9'.repeat(400), 100, `${'9'.repeat(398)}00`],
    ['1e3', 100, '1000'],
    ['1E+3', 300, '900'],
    ['1.2345e2', 10, '120.00'],
    ['12e-1', 1, '1.0'],
    ['1e400', 100, `1${'0'.repeat(400)}`],
    ['-0', 100, '0'],
    ['-0.00', 100, '0.00'],
    ['0', 100, '0'],
    ['-0.001', 1, '-1.000'],
    ['007', 5, '5'],
    ['9'.repeat(1_000), 1, '9'.repeat(1_000)],
    ['1e1000', 1, `1${'0'.repeat(1_000)}`],
    ['1e-1000', 1, `0.${'0'.repeat(1_000)}`],
  ])('%o by %d is %o', (value, step, expected) => {
    expect(generalizeNumber(value, stepOf(step))).toBe(expected);
  });

  it.each([7n, -1n, 0n])('the integer %o has no multiple of a fraction', (value) => {
    expect(generalizeNumber(value, stepOf(2.5))).toBeNull();
  });

  it.each([
    '',
    'x',
    '1e',
    'e3',
    '1e1.5',
    '1e 3',
    '0x10',
    '1,5',
    'Infinity',
    '1.',
    '.5',
    '+1',
    '--1',
    ' 1',
    '1 ',
    '1.2.3',
    '9'.repeat(1_001),
    '1e1001',
    '1e-1001',
    '1e99999999999999999999',
    Number.NaN,
    Infinity,
    -Infinity,
    true,
    null,
    undefined,
    {},
  ])('%o is none', (value) => {
    expect(generalizeNumber(value, stepOf(100))).toBeNull();
  });

  it('decimals are cut, not rounded', () => {
    expect([60.19, -60.19, 0.29, 60, 1e-7, -0.05, -0].map((value) => cutDecimals(value, 1))).toEqual([
      60.1, -60.1, 0.2, 60, 0, 0, 0,
    ]);
    // As doubles, 0.29 * 100 is 28.999999999999996.
    expect([0.29, 1.005, 4.35].map((value) => cutDecimals(value, 2))).toEqual([0.29, 1, 4.35]);
    expect(cutDecimals(60.19, 0)).toBe(60);
    expect(['60.19', '-60.19', '-0.05', '60', '6e1'].map((text) => cutDecimals(text, 1))).toEqual([
      '60.1',
      '-60.1',
      '0.0',
      '60',
      '60',
    ]);
    for (const value of ['', 'x', Number.NaN, 60n, null]) expect(cutDecimals(value, 1)).toBeNull();
  });
});

describe('GENERALIZE of dates', () => {
  const byDay = { unit: 'DAY', zone: undefined } as const;

  it.each([
    '',
    '17.5.2026',
    '2026-5-17',
    '2026-05',
    ' 2026-05-17',
    '2026-05-17 ',
    'x2026-05-17',
    '20260517',
    '2026-00-01',
    '2026-13-01',
    '2026-02-29',
    '2026-04-31',
    '2026-01-00',
    '12026-01-01',
    '+002026-01-01',
    '2026-05-17T',
    '2026-05-17T10',
    '2026-05-17T24:00',
    '2026-05-17T10:60',
    '2026-05-17T10:00:61',
    '2026-05-17T10:00:00.',
    '2026-05-17T10:00:00.1234567890',
    '2026-05-17T10:00+24:00',
    '2026-05-17T10:00+02:60',
    '2026-05-17T10:00 Z',
    '2026-05-17x10:00',
    '2026-05-17Z',
    '2026-05-17+02:00',
    '2026-05-17[]',
    '2026-05-17[u-ca=iso8601',
    `2026-05-17[${'x'.repeat(65)}]`,
    `2026-05-17${'[a]'.repeat(5)}`,
    '2026-05-17 BC',
    'born about[2026-05-17]',
    '2026-02-30T00:00:00Z',
    '2026-01-00T00:00:00Z',
    true,
    null,
    undefined,
    {},
    Object.create(null),
    Number.NaN,
    8.64e15 + 1,
    Infinity,
    new Date(Number.NaN),
    new Date(Date.UTC(10_000, 0, 1)),
    new Date(Date.UTC(-1, 11, 31)),
  ])('%o is none', (value) => {
    expect(generalizeDate(value, value, byDay)).toBeNull();
    expect(generalizeDate(value, value, { ...byDay, zone: new TimeZone('Europe/Vienna') })).toBeNull();
  });

  it('a text is a number only if it is the one that it was made of', () => {
    const ms = Date.UTC(2026, 4, 17, 10);
    expect(generalizeDate(String(ms), ms, byDay)).toBe(String(Date.UTC(2026, 4, 17)));
    expect(generalizeDate('May 17, 2026', ms, byDay)).toBeNull();
    expect(generalizeDate('17', { valueOf: () => ms }, byDay)).toBeNull();
  });

  it('has no date where a time zone is already in the year 10000', () => {
    const zone = new TimeZone('Europe/Vienna');
    const last = '9999-12-31T23:30:00Z';
    for (const value of [last, Date.parse(last), new Date(last)])
      expect(generalizeDate(value, value, { ...byDay, zone })).toBeNull();
  });
});

describe('a text is read as a date', () => {
  const date = { year: 2026, month: 5, day: 17 };

  it.each([
    ['2026-05-17', undefined, undefined],
    ['2026-05-17T10:11', 'T', undefined],
    ['2026-05-17t10:11', 'T', undefined],
    ['2026-05-17 10:11:12,5', ' ', undefined],
    ['2026-05-17T10:11Z', 'T', '2026-05-17T10:11:00Z'],
    ['2026-05-17T10:11:12Z', 'T', '2026-05-17T10:11:12Z'],
    ['2026-05-17 10:11:12+00', ' ', '2026-05-17T10:11:12Z'],
    ['2026-05-17 10:11:12-05', ' ', '2026-05-17T15:11:12Z'],
    ['2026-05-17T10:11:12+05:30', 'T', '2026-05-17T04:41:12Z'],
    ['2026-05-17T10:11:12+0530', 'T', '2026-05-17T04:41:12Z'],
    ['2026-05-17T10:11:12+05:30:20', 'T', '2026-05-17T04:40:52Z'],
    ['2026-05-17T10:11:12-053020', 'T', '2026-05-17T15:41:32Z'],
    // An annotation is none of these, whatever it contains.
    ['2026-05-17[note][T10:11]', undefined, undefined],
    ['2026-05-17T10:11[Europe/Zurich]', 'T', undefined],
  ] as const)('%s', (text, separator, time) => {
    const instant = time === undefined ? undefined : Date.parse(time);
    expect(readDateText(text)).toEqual({ date, separator, instant });
  });
});

describe('the grid of NOISE', () => {
  it.each([
    [1_000, undefined, false, { step: 1, maxSteps: 999 }],
    [1_000, undefined, true, { step: 1, maxSteps: 1_000 }],
    [5_000, undefined, true, { step: 5, maxSteps: 999 }],
    [10, undefined, true, { step: 1, maxSteps: 10 }],
    [0.001, undefined, false, { step: 0.000_001, maxSteps: 999 }],
    [10, 4, true, { step: 4, maxSteps: 2 }],
    [10, 4, false, { step: 4, maxSteps: 2 }],
    [1.5, 1, false, { step: 1, maxSteps: 1 }],
    [1, 1, true, { step: 1, maxSteps: 1 }],
    [2 ** 31, 1, true, { step: 1, maxSteps: 2 ** 31 }],
  ])('of %d by %s (whole: %s)', (spread, step, isWhole, expected) => {
    expect(noiseGrid(spread, step, isWhole)).toEqual(expected);
  });

  it.each([
    [1.4, 1, false],
    [0.9, 1, true],
    [10, 0.5, true],
    [10, 0, false],
    [10, -1, false],
    [0, undefined, false],
    [Number.NaN, 1, false],
    [2 ** 31 + 1, 1, true],
    [2 ** 32, 1, false],
  ])('does not work for %d by %s (whole: %s)', (spread, step, isWhole) => {
    expect(noiseGrid(spread, step, isWhole)).toBeUndefined();
  });

  const drawing = (steps: bigint): Buffer => {
    const digest = Buffer.alloc(32);
    digest.writeBigUInt64BE(steps >> 64n, 0);
    digest.writeBigUInt64BE(steps & 0xffff_ffff_ffff_ffffn, 8);
    return digest;
  };

  it('moves a value by the steps that the digest draws, to both sides alike', () => {
    const grid = { step: 10, maxSteps: 2 };
    const moved = [0n, 1n, 2n, 3n, 4n, 5n].map((drawn) => addNoise(104, grid, drawing(drawn)));
    expect(moved).toEqual([80, 90, 100, 110, 120, 80]);
    // All 128 bits count: 2^64 is 1 more than a multiple of 5.
    expect(addNoise(104, grid, drawing(2n ** 64n))).toBe(90);
    expect(addNoise(105, grid, drawing(2n))).toBe(110);
  });

  it('writes decimal fractions as people do', () => {
    expect(addNoise(12.34, { step: 0.01, maxSteps: 1 }, drawing(1n))).toBe(12.34);
    expect(addNoise(0.3, { step: 0.1, maxSteps: 1 }, drawing(1n))).toBe(0.3);
    expect(addNoise(1, { step: 0.3, maxSteps: 1 }, drawing(1n))).toBe(0.9);
    expect(addNoise(-0.1, { step: 0.1, maxSteps: 1 }, drawing(2n))).toBe(0);
  });

  it('moves no value that does not lie exactly on a step', () => {
    const limit = Number.MAX_SAFE_INTEGER - 2 * 2 ** 31;
    const grid = { step: 1, maxSteps: 1 };
    expect(addNoise(limit, grid, drawing(1n))).toBe(limit);
    expect(addNoise(-limit, grid, drawing(1n))).toBe(-limit);
    for (const step of [Number.NaN, Infinity])
      expect(addNoise(1, { step, maxSteps: 1 }, drawing(1n))).toBeNull();
    for (const value of [limit + 1, -limit - 1, Number.NaN, Infinity, '1', 1n, null])
      expect(addNoise(value, grid, drawing(1n))).toBeNull();
  });
});

describe('characters', () => {
  it('are masked up to the last ones that may stay', () => {
    expect(['', 'a', 'ab', 'abc', 'a-b-c', '--'].map((text) => mask(text, 2))).toEqual([
      '',
      '*',
      '**',
      '**c',
      '*-*-c',
      '**',
    ]);
    expect(mask('abc', 0)).toBe('***');
    expect(mask('a\tb\nc d€e+f<g', 0)).toBe('*\t*\n* *€*+*<*');
    // The number sign of Arabic joins what follows, and both are one character.
    expect(mask('\u0600-x', 0)).toBe('**');
  });

  it('are kept from the start, never more than there are', () => {
    expect([0, 1, 2, 3, 4].map((keep) => truncate('abc', keep))).toEqual(['', 'a', 'ab', 'abc', 'abc']);
    expect([0, 1, 2].map((keep) => truncate('äö', keep))).toEqual(['', 'ä', 'äö']);
  });
});

describe('a text longer than one piece', () => {
  const units = [
    'b',
    'ä',
    'e\u0301',
    '👨‍👩‍👧‍👦',
    '🇸🇪',
    '한'.normalize('NFD'),
    '\ud83d',
    `z${'\u0301'.repeat(600)}`,
  ];

  it.each(units)('is divided as a whole, wherever a piece ends: %j', (unit) => {
    for (const before of [0, 505, 508, 509, 510, 511, 512, 513, 1_023, 1_024]) {
      const text = 'a'.repeat(before) + unit.repeat(3) + 'c';
      const expected = clusters(text);
      expect(mask(text, 0)).toBe('*'.repeat(expected.length));
      const kept = Math.min(2, Math.floor(expected.length / 3));
      expect(mask(text, 2)).toBe('*'.repeat(expected.length - kept) + expected.slice(-kept).join(''));
      expect(truncate(text, before + 2)).toBe(expected.slice(0, before + 2).join(''));
      expect(truncate(text, 10_000)).toBe(text);
    }
  });

  it('may be one character, which ends with it', () => {
    const character = `a${'\u0301'.repeat(600)}`;
    expect(mask(character, 0)).toBe('*');
    expect(truncate(character, 1)).toBe(character);
  });

  it('is read once, in pieces of 512, or as long as one character is', () => {
    const segment = vi.spyOn(Intl.Segmenter.prototype, 'segment');
    const lengths = (text: string): number[] => {
      segment.mockClear();
      mask(text, 0);
      return segment.mock.calls.map(([piece]) => piece.length);
    };
    try {
      expect(lengths('a'.repeat(2_000))).toEqual([]);
      expect(lengths('ä'.repeat(512))).toEqual([512]);
      // The last character of a piece may go on in the next.
      expect(lengths('ä'.repeat(1_024))).toEqual([512, 512, 2]);
      expect(lengths('🙂'.repeat(512))).toEqual([512, 512, 4]);
      expect(lengths(`a${'🙂'.repeat(256)}`)).toEqual([513]);
      // Pieces double until one character is in it.
      expect(lengths(`a${'\u0301'.repeat(1_500)}b`)).toEqual([512, 512, 1_024, 1_502, 1]);
      // The text behind a long character is not read with it.
      expect(lengths(`a${'\u0301'.repeat(600)}${'b'.repeat(2_000)}`)).toEqual([
        512, 512, 1_024, 512, 512, 512, 467,
      ]);
    } finally {
      segment.mockRestore();
    }
  });
});

const KEY = new Uint8Array(32).fill(7);

function compile(
  statement: Partial<MinimizeStatement> & Pick<MinimizeStatement, 'to'>,
  type: GraphQLOutputType,
  more: { readonly pseudonymKey?: Uint8Array | undefined; readonly onUnreadable?: () => void } = {},
): Minimizer {
  return compileMinimizer({
    statement: { unless: [], ...statement } as MinimizeStatement,
    coordinate: 'Query.x',
    type,
    pseudonymKey: KEY,
    onUnreadable: () => undefined,
    ...more,
  });
}

const app = { clientId: 'app' };
const Day = new GraphQLScalarType({ name: 'Day' });

describe('a strategy that cannot work for its field says why', () => {
  const decimals = { to: 'GENERALIZE', by: 'decimals', decimals: 1 } as const;
  const step = { to: 'GENERALIZE', by: 'step', step: 1 } as const;
  const unit = { to: 'GENERALIZE', by: 'unit', unit: 'DAY' } as const;
  const noise = { to: 'NOISE', spread: 10, step: undefined } as const;
  const row = new GraphQLObjectType({ name: 'Row', fields: { x: { type: GraphQLString } } });

  it.each([
    [
      { to: 'MASK', first: 0, last: 0, showLength: true },
      GraphQLInt,
      'MASK) needs a field of type String or ID',
    ],
    [{ to: 'TRUNCATE', keep: 1 }, Day, 'TRUNCATE) needs a field of type String or ID'],
    [{ to: 'PSEUDONYMIZE' }, GraphQLFloat, 'PSEUDONYMIZE) needs a field of type String or ID'],
    [noise, GraphQLString, 'NOISE) needs a field of type Int or Float'],
    [
      { ...noise, spread: 1, step: 1 },
      GraphQLFloat,
      'NOISE needs a "spread" of at least one and a half steps',
    ],
    [unit, GraphQLInt, 'GENERALIZE) needs a field of type a date'],
    [unit, GraphQLFloat, 'GENERALIZE) needs a field of type a date'],
    [unit, GraphQLBoolean, 'GENERALIZE) needs a field of type a date'],
    [step, GraphQLBoolean, 'GENERALIZE) needs a field of type a number'],
    [
      { to: 'GENERALIZE', by: 'step', step: Infinity },
      GraphQLFloat,
      'a "step" of Infinity does not fit a field of type Float',
    ],
    [decimals, GraphQLString, 'GENERALIZE) needs a field of type Float'],
    [decimals, GraphQLID, 'GENERALIZE) needs a field of type Float'],
    [decimals, GraphQLInt, 'GENERALIZE) needs a field of type Float'],
    [decimals, GraphQLBoolean, 'GENERALIZE) needs a field of type Float'],
    ...[
      ...[
        'PositiveInt',
        'NonNegativeInt',
        'ULong',
        'PositiveBigInt',
        'UnsignedBigInt',
        'BigUnsignedInt',
        'UBigInt',
      ],
      ...[
        'Int53',
        'PositiveLong',
        'NonNegativeLong',
        'I64',
        'U64',
        'u8',
        'LongInt',
        'WholeNumber',
        'Non_Negative_Int',
      ],
      ...['NaturalNumber', 'BigUInt256', 'UnsignedLongInteger', 'BIG_INT', 'HugeInt', 'Serial8'],
    ].map(
      (name) =>
        [decimals, new GraphQLScalarType({ name }), 'GENERALIZE) needs a field of type Float'] as const,
    ),
    [
      { to: 'MASK', first: 0, last: 0, showLength: true },
      row,
      '@minimize(to: MASK) needs a field of a scalar type',
    ],
    [
      { to: 'REDACT' },
      new GraphQLNonNull(Day),
      'REDACT needs a nullable field, or one of type String, ID, Int, Float, Boolean',
    ],
    [
      { to: 'REDACT' },
      new GraphQLList(new GraphQLNonNull(Day)),
      'REDACT needs a nullable field, or one of type String, ID, Int, Float, Boolean',
    ],
  ] as const)('%j on %s', (minimization, type, message) => {
    expect(() => compile(minimization as MinimizeStatement, type)).toThrow(
      expect.objectContaining({
        code: 'INVALID_RULE',
        message: expect.stringContaining(message) as string,
        coordinate: 'Query.x',
      }),
    );
  });

  it.each([
    [unit, GraphQLString],
    [unit, Day],
    [step, GraphQLInt],
    [step, GraphQLString],
    [decimals, GraphQLFloat],
    [decimals, Day],
    // Names that only begin or end as those of integers do.
    ...[
      'Interest',
      'Point',
      'Longitude',
      'Furlong',
      'Decimal',
      'BigDecimal',
      'Shortage',
      'Internal',
      'Usage',
    ].map((name) => [decimals, new GraphQLScalarType({ name })] as const),
  ] as const)('%j on %s works', (minimization, type) => {
    expect(() => compile(minimization as MinimizeStatement, type)).not.toThrow();
  });

  it.each([{ to: 'PSEUDONYMIZE' }, noise] as const)('$to without a key of 32 bytes', (minimization) => {
    const type = minimization.to === 'NOISE' ? GraphQLInt : GraphQLID;
    for (const pseudonymKey of [undefined, KEY.subarray(1)])
      expect(() => compile(minimization as MinimizeStatement, type, { pseudonymKey })).toThrow(
        expect.objectContaining({
          code: 'MISSING_PSEUDONYM_KEY',
          message: 'Query.x: this strategy needs a pseudonymKey of at least 32 bytes',
        }),
      );
  });
});

describe('PSEUDONYMIZE', () => {
  it('gives 128 bits of a keyed digest, of the coordinate, the client, its purposes and the value', () => {
    const digest = createHmac('sha256', KEY).update('7:Query.x3:app2:[]5:value').digest();
    expect(compile({ to: 'PSEUDONYMIZE' }, GraphQLID)('value', app)).toBe(
      digest.subarray(0, 16).toString('base64url'),
    );
  });

  it('is null of what an ID of the schema’s own does not write as a text', () => {
    const OwnId = new GraphQLScalarType({ name: 'ID', serialize: (value) => value });
    expect(compile({ to: 'PSEUDONYMIZE' }, OwnId)({}, app)).toBeNull();
  });
});

describe('NOISE', () => {
  it('draws from a keyed digest of the coordinate, the client, its purposes, the entity and the value', () => {
    const digest = createHmac('sha256', KEY).update('7:Query.x3:app2:[]0:3:104').digest();
    const noise = { to: 'NOISE', spread: 10 } as const;
    const whole = noiseGrid(10, undefined, true);
    const fine = noiseGrid(10, undefined, false);
    if (whole === undefined || fine === undefined) throw new Error('no grid');
    expect(compile(noise, GraphQLInt)(104, app)).toBe(addNoise(104, whole, digest));
    expect(compile(noise, GraphQLFloat)(104, app)).toBe(addNoise(104, fine, digest));
    expect(whole).not.toEqual(fine);
  });
});

describe('REDACT', () => {
  it('leaves null where the field may be null, and a constant elsewhere', () => {
    expect(compile({ to: 'REDACT' }, GraphQLInt)(1, app)).toBeNull();
    expect(compile({ to: 'REDACT' }, new GraphQLNonNull(GraphQLID))('x', app)).toBe('[redacted]');
    const texts = new GraphQLList(new GraphQLNonNull(GraphQLString));
    expect(compile({ to: 'REDACT' }, texts)(['a', null, 'b'], app)).toEqual([
      '[redacted]',
      null,
      '[redacted]',
    ]);
  });
});

describe('every strategy', () => {
  const minimize = compile(
    { to: 'MASK', first: 0, last: 1, showLength: true },
    new GraphQLList(GraphQLString),
  );

  it('keeps null and errors, and follows promises', async () => {
    const error = new Error('mine');
    expect(minimize(null, app)).toBeNull();
    expect(minimize(undefined, app)).toBeNull();
    expect(minimize(error, app)).toBe(error);
    expect(minimize(['abc', undefined, error], app)).toEqual(['**c', null, error]);
    expect(await minimize(Promise.resolve(['abc']), app)).toEqual(['**c']);
  });

  it('puts an error where an entry throws what is none', () => {
    const entry = {
      get then(): never {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- a resolver's own object may throw anything
        throw 'hidden-value';
      },
    };
    expect(minimize(['abc', entry], app)).toEqual(['**c', new Error('An entry of the list cannot be read')]);
  });

  it('reads lists that may not be null entry by entry', () => {
    const type = new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLString)));
    expect(compile({ to: 'MASK', first: 0, last: 1, showLength: true }, type)(['abc', 'de'], app)).toEqual([
      '**c',
      '**',
    ]);
  });

  it('leaves the scalars alone that all schemas share', () => {
    compile({ to: 'GENERALIZE', by: 'step', step: 1 }, GraphQLInt);
    expect(() => GraphQLInt.serialize(new FinishedValue('text'))).toThrow('Int cannot represent');
  });

  it('takes asynchronous lists, as graphql 17 does', async () => {
    const list = (async function* () {
      yield 'abc';
    })();
    expect(await minimize(list, app)).toEqual(['**c']);
  });

  it('tells of a value that it cannot read, and only of that', () => {
    const onUnreadable = vi.fn();
    const by = compile({ to: 'GENERALIZE', by: 'step', step: 100 }, GraphQLString, { onUnreadable });
    expect(by('1234', app)).toBe('1200');
    expect(by(null, app)).toBeNull();
    expect(onUnreadable).not.toHaveBeenCalled();
    expect(by('text', app)).toBeNull();
    expect(onUnreadable).toHaveBeenCalledOnce();
  });

  it('of a custom scalar hands out a value that is serialized once', () => {
    const by = compile({ to: 'GENERALIZE', by: 'unit', unit: 'YEAR' }, Day);
    const finished = by('2026-05-17', app);
    expect(finished).toEqual(new FinishedValue('2026-01-01'));
    expect(JSON.stringify({ finished })).toBe('{"finished":"2026-01-01"}');
    expect(Day.serialize(finished)).toBe('2026-01-01');
  });
});

describe('a custom scalar writes values', () => {
  /** As graphql 17 makes them. */
  function newScalar(): GraphQLScalarType & {
    coerceOutputValue: (value: unknown) => unknown;
    prefix: string;
  } {
    const scalar = new GraphQLScalarType({ name: 'New', serialize: () => 'old' });
    return Object.assign(scalar, {
      prefix: 'new',
      coerceOutputValue(this: { prefix: string }, value: unknown) {
        return `${this.prefix} ${String(value)}`;
      },
    });
  }

  it('by coerceOutputValue where graphql has it, and by serialize elsewhere', () => {
    expect(serializeLeaf(newScalar(), 'x')).toBe('new x');
    expect(serializeLeaf(new GraphQLScalarType({ name: 'Old', serialize: () => 'old' }), 'x')).toBe('old');
  });

  it('as before, and finished ones as they are, by either function', () => {
    const scalar = newScalar();
    acceptFinishedValues(scalar);
    const { serialize, coerceOutputValue } = scalar;
    acceptFinishedValues(scalar);
    expect([scalar.serialize, scalar.coerceOutputValue]).toEqual([serialize, coerceOutputValue]);
    expect([scalar.coerceOutputValue('x'), scalar.serialize('x')]).toEqual(['new x', 'old']);
    const finished = new FinishedValue('done');
    expect([scalar.coerceOutputValue(finished), scalar.serialize(finished)]).toEqual(['done', 'done']);
  });

  it('and has no function that graphql does not know', () => {
    const scalar = new GraphQLScalarType({ name: 'Old' });
    acceptFinishedValues(scalar);
    expect('coerceOutputValue' in scalar).toBe('coerceOutputValue' in GraphQLString);
  });
});
