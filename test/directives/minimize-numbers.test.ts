import { protectSchema } from '@behalf/directives';
import type { CoordinateRules } from '@behalf/directives';
import * as fc from 'fast-check';
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { isMultipleOf } from '../../directives/src/minimize/decimal.js';
import { generalizeNumber } from '../../directives/src/minimize/generalize/step.js';
import { testedSchema, testedSubgraph } from './support.js';
import type { TestedSubgraph } from './support.js';

/** A subgraph without a resolver for its scalars, which then write what they are given. */
function subgraphOf(type: string, directive: string, value?: unknown): TestedSubgraph {
  const sdl = `scalar BigInt scalar Long scalar Int64 scalar Decimal scalar Money
    type Query { x: ${type} @public @minimize(${directive}) }`;
  return testedSubgraph(sdl, { Query: { x: () => value } });
}

describe('GENERALIZE computes with decimal numbers', () => {
  it.each([
    ['Float', 'step: 0.1', 0.3, 0.3],
    ['Float', 'step: 0.1', 0.7, 0.7],
    ['Float', 'step: 0.25', -0.1, -0.25],
    ['Float', 'step: 0.01', '1.15', 1.15],
    ['Float', 'step: 1000', 1e21, 1e21],
    ['Float', 'step: 2.5', -0, 0],
    ['Int', 'step: 100', -1, -100],
    ['Int', 'step: 7', 2_147_483_647, 2_147_483_646],
    ['String', 'step: 0.25', '1.3', '1.25'],
    ['String', 'step: 100', '12345678901234567890.12', '12345678901234567800.00'],
    ['String', 'step: 0.1', '0.30', '0.30'],
    ['String', 'step: 100', '1e3', '1000'],
    ['ID', 'step: 100', 1_234, '1200'],
    ['BigInt', 'step: 100', '-12345678901234567890', '-12345678901234567900'],
    ['Long', 'step: 1000', 1_234, 1_000],
    ['Decimal', 'step: 0.05', '19.99', '19.95'],
    ['Decimal', 'step: 0.05', '-19.99', '-20.00'],
    ['Money', 'decimals: 1', '-60.17', '-60.1'],
    ['Float', 'decimals: 2', 0.29, 0.29],
    ['Float', 'decimals: 15', 1.000_000_000_000_001, 1.000_000_000_000_001],
    ['Int', 'step: 2147483647', 5, 0],
  ] as const)('%s by %s: %s', async (type, by, value, expected) => {
    const { data, errors } = await subgraphOf(type, `to: GENERALIZE, ${by}`, value).ask('{ x }');
    expect(errors).toBeUndefined();
    expect(data?.x).toBe(expected);
  });

  it.each([
    ['an object that writes itself', { toJSON: () => '12.5' }, '10.0'],
    ['an object that writes itself as a number', { toJSON: () => 12.5 }, 10],
    ['a boxed number', Object(12.5), 10],
    ['a boxed text', Object('12.5'), '10.0'],
  ])('also of %s, in a scalar without a form of its own', async (_kind, value, expected) => {
    const { data, errors } = await subgraphOf('Decimal', 'to: GENERALIZE, step: 10', value).ask('{ x }');
    expect(errors).toBeUndefined();
    expect(data?.x).toBe(expected);
  });

  it('also of a big integer, which JSON cannot hold', async () => {
    const { data } = await subgraphOf('BigInt', 'to: GENERALIZE, step: 100', 2n ** 64n).ask('{ x }');
    expect(data?.x).toBe(2n ** 64n - 16n);
  });

  it.each([
    ['String', '9'.repeat(1_001)],
    ['String', '1e1001'],
    ['String', '1,000'],
    ['Decimal', Number.NaN],
    ['Decimal', -1.5e308],
    ['Decimal', {}],
  ])('and leaves null of what it cannot read: %s', async (type, value) => {
    const subgraph = subgraphOf(type, 'to: GENERALIZE, step: 1e308', value);
    expect(await subgraph.ask('{ x }')).toMatchObject({ data: { x: null } });
    expect(subgraph.logged.map(({ code }) => code)).toEqual(['VALUE_NOT_MINIMIZED']);
  });

  it('of a fraction, an integer without one has no multiple', async () => {
    const subgraph = subgraphOf('Decimal', 'to: GENERALIZE, step: 2.5', 7n);
    expect(await subgraph.ask('{ x }')).toMatchObject({ data: { x: null } });
  });

  it('is at most one step below the value, and a whole number of steps (property)', () => {
    const decimal = fc.record({
      isNegative: fc.boolean(),
      digits: fc.bigInt({ min: 0n, max: 10n ** 40n }),
      scale: fc.nat(30),
    });
    const stepDigits = fc.integer({ min: 1, max: 999_999_999 });
    fc.assert(
      fc.property(decimal, stepDigits, fc.nat(9), ({ isNegative, digits, scale }, step, stepScale) => {
        const all = digits.toString().padStart(scale + 1, '0');
        const text = `${isNegative ? '-' : ''}${all.slice(0, all.length - scale)}${scale > 0 ? `.${all.slice(-scale)}` : ''}`;
        const lower = generalizeNumber(text, { digits: BigInt(step), scale: stepScale }) as string;

        // The oracle counts in units of 10^-39, and searches no remainder: it looks where the result lies.
        const units = (number: string): bigint => {
          const [whole = '', fraction = ''] = number.replace('-', '').split('.');
          const size = BigInt(whole + fraction.padEnd(39, '0'));
          return number.startsWith('-') ? -size : size;
        };
        const size = BigInt(step) * 10n ** BigInt(39 - stepScale);
        expect(units(lower) % size).toBe(0n);
        expect(units(lower) <= units(text)).toBe(true);
        expect(units(text) - units(lower) < size).toBe(true);
        // As many decimals as the value, or as few more as the multiple needs.
        const decimals = lower.split('.')[1]?.length ?? 0;
        expect(decimals).toBeGreaterThanOrEqual(scale);
        expect(decimals === scale || !lower.endsWith('0')).toBe(true);
        expect(lower).toMatch(/^(?:-(?=.*[1-9]))?\d+(?:\.\d+)?$/);
      }),
    );
  });
});

describe('a step is a whole number of other steps', () => {
  it.each([
    [0.3, 0.1, true],
    [1, 0.1, true],
    [0.1, 1, false],
    [0.3, 0.2, false],
    [1e21, 1e-7, true],
    [30, 20, false],
    [1, 1, true],
    [Infinity, 1, false],
    [1, Number.NaN, false],
  ])('%d of %d: %s', (step, other, expected) => {
    expect(isMultipleOf(step, other)).toBe(expected);
  });
});

describe('scalars of integers by their names', () => {
  const integers =
    'smallint Byte int4 Int2 int8 tinyint mediumint Int16 UInt32 bigint BigInteger Short ULong SByte bigserial';
  it.each(integers.split(' '))('%s takes no step with a fraction, and no decimals', (type) => {
    const start = (by: string): unknown =>
      testedSubgraph(`scalar ${type} type Query { x: ${type} @public @minimize(to: GENERALIZE, ${by}) }`);
    expect(() => start('step: 2.5')).toThrow(`a "step" of 2.5 does not fit a field of type ${type}`);
    expect(() => start('decimals: 1')).toThrow('needs a field of type Float');
    expect(() => start('step: 5')).not.toThrow();
  });

  it.each(['Interval', 'Point', 'Numeric', 'Longitude', 'Byteness'])('%s is not one', (type) => {
    const sdl = `scalar ${type} type Query { x: ${type} @public @minimize(to: GENERALIZE, step: 2.5) }`;
    expect(() => testedSubgraph(sdl)).not.toThrow();
  });
});

describe('an argument that does not fit the field stops the start, and names it', () => {
  it.each([
    ['Int', 'to: GENERALIZE, step: 2.5', 'a "step" of 2.5 does not fit a field of type Int'],
    ['[Int!]', 'to: GENERALIZE, step: 0.1', 'a "step" of 0.1 does not fit a field of type Int'],
    ['Int', 'to: GENERALIZE, step: 2147483648', 'does not fit a field of type Int'],
    ['BigInt', 'to: GENERALIZE, step: 2.5', 'does not fit a field of type BigInt'],
    ['Long', 'to: GENERALIZE, step: 1.5', 'does not fit a field of type Long'],
    ['Int64', 'to: GENERALIZE, step: 0.5', 'does not fit a field of type Int64'],
    ['Float', 'to: GENERALIZE, step: 0', '"step" must be a number above 0'],
    ['Float', 'to: GENERALIZE, step: -1', '"step" must be a number above 0'],
    ['Float', 'to: GENERALIZE, step: 1e999', '"step" must be a number above 0'],
    ['Float', 'to: GENERALIZE, step: "1"', '"step" must be a number above 0'],
    ['Float', 'to: GENERALIZE, step: 1.234567890123456', '"step" must have at most 15 digits'],
    ['Float', 'to: NOISE, spread: 9, step: 1.234567890123456', '"step" must have at most 15 digits'],
    ['Float', 'to: GENERALIZE, step: 12345678901234567890', '"step" must have at most 15 digits'],
    ['Float', 'to: GENERALIZE, decimals: 400', '"decimals" must be a whole number from 0 to 15'],
    ['Float', 'to: GENERALIZE, decimals: 16', '"decimals" must be a whole number from 0 to 15'],
    ['Float', 'to: GENERALIZE, decimals: -1', '"decimals" must be a whole number from 0 to 15'],
    ['Float', 'to: GENERALIZE, decimals: 0.5', '"decimals" must be a whole number from 0 to 15'],
    ['Int', 'to: GENERALIZE, decimals: 1', 'needs a field of type Float'],
    ['Long', 'to: GENERALIZE, decimals: 1', 'needs a field of type Float'],
    ['Float', 'to: GENERALIZE', 'takes one of step, unit, decimals'],
    ['Float', 'to: GENERALIZE, step: 1, decimals: 1', 'takes one of step, unit, decimals'],
    ['String', 'to: MASK, last: -1', '"last" must be a whole number from 0 to 1000'],
    ['String', 'to: TRUNCATE, keep: 1001', '"keep" must be a whole number from 0 to 1000'],
    ['Float', 'to: MASK, last: 1, showLength: true', 'needs a field of type String or ID'],
    ['Long', 'to: TRUNCATE, keep: 1', 'needs a field of type String or ID'],
    ['Int', 'to: GENERALIZE, unit: DAY', 'needs a field of type a date'],
    ['Int', 'to: NOISE, spread: 10, step: 1.5', 'steps of an Int are whole'],
    ['Float', 'to: NOISE, spread: -1', '"spread" must be a number above 0'],
    ['Float', 'to: NOISE', '"spread" must be a number above 0'],
  ])('%s %s', (type, directive, message) => {
    expect(() => subgraphOf(type, directive)).toThrow(
      expect.objectContaining({
        code: 'INVALID_RULE',
        coordinate: 'Query.x',
        message: expect.stringMatching(/^Query\.x: /) as string,
      }),
    );
    expect(() => subgraphOf(type, directive)).toThrow(message);
  });

  it.each([
    [{ step: Number.NaN }, 'an argument cannot be NaN'],
    [{ step: Infinity }, 'an argument cannot be Infinity'],
    [{ step: 10n }, 'an argument cannot be a bigint'],
    [{ step: 0 }, '"step" must be a number above 0'],
    [{ step: 0.1 + 0.2 }, '"step" must have at most 15 digits'],
    [{ decimals: 400 }, '"decimals" must be a whole number from 0 to 15'],
    [{ unit: 'YEAR', timeZone: 'Vienna' }, '"timeZone" must be a name of the IANA database'],
  ])('also in code: %o', (by, message) => {
    const rules = {
      'Query.x': { public: {}, minimize: { to: 'GENERALIZE', ...by } },
    } as unknown as CoordinateRules;
    expect(() =>
      testedSchema((base) => protectSchema(buildSchema('type Query { x: Float }'), { ...base, rules })),
    ).toThrow(`Query.x: ${message}`);
  });

  it.each([
    ['Float', 'step: 2.5'],
    ['Float', 'step: 1e300'],
    ['Float', 'step: 100000000000000000000'],
    ['Float', 'step: 0.000000123456789012345'],
    ['Decimal', 'step: 2.5'],
    ['Int', 'step: 2147483647'],
    ['BigInt', 'step: 2147483648'],
    ['Money', 'step: 0.05'],
    ['Float', 'decimals: 0'],
  ])('%s by %s starts', (type, by) => {
    expect(() => subgraphOf(type, `to: GENERALIZE, ${by}`)).not.toThrow();
  });
});
