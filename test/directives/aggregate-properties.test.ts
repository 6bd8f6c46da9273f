import fc from 'fast-check';
import { GraphQLFloat, GraphQLList, GraphQLObjectType, GraphQLString } from 'graphql';
import { describe, expect, it } from 'vitest';
import {
  addDecimals,
  closestQuotient,
  decimalOf,
  divideTo,
  formatDecimal,
} from '../../directives/src/minimize/decimal.js';
import type { Decimal } from '../../directives/src/minimize/decimal.js';
import { compileMinimizer } from '../../directives/src/minimize/minimizer.js';
import { minimize } from '../../directives/src/specification/minimize.js';
import { testedSubgraph } from './support.js';

interface Row {
  readonly who: string | null;
  readonly city: string | null;
  /** In cents. */
  readonly cents: number | null;
}

interface Result {
  readonly city: string | null;
  readonly count: number;
  readonly subjects: number;
  readonly sum: string;
  readonly average: string;
}

const FLOOR = 3;
const text = { type: GraphQLString };
const number = { type: GraphQLFloat };
const type = new GraphQLList(
  new GraphQLObjectType({
    name: 'S',
    fields: { city: text, sum: text, average: text, count: number, subjects: number },
  }),
);
const { statement } = minimize.compile(
  { to: 'AGGREGATE', of: 'amount', groups: ['city'], subject: 'who', floor: FLOOR },
  'Query.x',
);
const input = { coordinate: 'Query.x', pseudonymKey: undefined, onUnreadable: () => undefined };
const minimizer = compileMinimizer({ ...input, statement, type });
const amountOf = (cents: number): string => `${cents < 0 ? '-' : ''}${(Math.abs(cents) / 100).toFixed(2)}`;
const aggregated = (rows: readonly Row[]): readonly Result[] =>
  minimizer(
    rows.map(({ cents, ...row }) => ({ ...row, amount: cents === null ? null : amountOf(cents) })),
    { clientId: 'app' },
  ) as readonly Result[];

const rows: fc.Arbitrary<readonly Row[]> = fc.array(
  fc.record({
    who: fc.option(fc.constantFrom(...Array.from('abcdefgh')), { freq: 9 }),
    city: fc.option(fc.constantFrom('Graz', 'Linz', 'Wien', '10', '9'), { freq: 9 }),
    cents: fc.option(fc.integer({ min: -1_000_000, max: 1_000_000 }), { freq: 9 }),
  }),
  { maxLength: 60 },
);

describe('a statistic (property)', () => {
  it('has the groups with enough people, and their exact count and sum', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const counted = given.filter(({ cents, who }) => who !== null && cents !== null);
        const cities = [...new Set(counted.map(({ city }) => city))].filter(
          (city) => new Set(counted.flatMap((row) => (row.city === city ? [row.who] : []))).size >= FLOOR,
        );
        const results = aggregated(given);
        expect(new Set(results.map(({ city }) => city))).toEqual(new Set(cities));
        for (const { average, city, count, subjects, sum } of results) {
          const members = counted.filter((row) => row.city === city);
          const cents = members.reduce((total, row) => total + (row.cents ?? 0), 0);
          expect(subjects).toBe(new Set(members.map(({ who }) => who)).size);
          expect(subjects).toBeGreaterThanOrEqual(FLOOR);
          expect([count, sum]).toEqual([members.length, amountOf(cents).replace('-0.00', '0.00')]);
          expect(Number(average)).toBeCloseTo(cents / 100 / count, 6);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same in whichever order the rows come', () => {
    const pairs = rows.chain((given) =>
      fc.tuple(
        fc.constant(given),
        fc.shuffledSubarray([...given], { minLength: given.length, maxLength: given.length }),
      ),
    );
    fc.assert(
      fc.property(pairs, ([given, shuffled]) => {
        expect(JSON.stringify(aggregated(shuffled))).toBe(JSON.stringify(aggregated(given)));
      }),
      { numRuns: 500 },
    );
  });

  it('is not changed by the rows of a group below the floor', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.integer({ min: -99, max: 99 }), { maxLength: 20 }), (given, more) => {
        const small = more.map((cents, at): Row => ({ who: at % 2 === 0 ? 'a' : 'b', city: 'Enns', cents }));
        expect(aggregated([...given, ...small])).toEqual(aggregated(given));
      }),
    );
  });
});

const leaf = fc.constantFrom('String', 'Int', 'Float', 'ID', 'Boolean', 'Place', 'Any');
const nullable = (names: readonly string[]) =>
  fc
    .record({ name: fc.constantFrom(...names), mark: fc.constantFrom('', '!') })
    .map(({ mark, name }) => name + mark);

describe('results are valid for whichever type the start accepts (property)', () => {
  it('with any rows', async () => {
    const value = fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.double(),
      fc.maxSafeInteger(),
      fc.bigInt(),
      fc.boolean(),
      fc.constantFrom(null, undefined, 'A', 'B', '1.50', 1, 2),
      fc.date(),
    );
    const schema = fc.record({
      city: leaf.chain((name) => nullable([name])),
      sum: nullable(['Float', 'String', 'Any', 'Int']),
      average: nullable(['Float', 'String', 'Any']),
      count: nullable(['Int', 'Float', 'Any']),
    });
    await fc.assert(
      fc.asyncProperty(
        schema,
        fc.array(fc.record({ who: fc.constantFrom(...Array.from('abcd')), city: value, amount: value }), {
          minLength: 20,
        }),
        async ({ average, city, count, sum }, given) => {
          fc.pre(sum !== 'Int!');
          const subgraph = testedSubgraph(
            `scalar Any enum Place { A B } type S @public { city: ${city} sum: ${sum.replace('!', '')} average: ${average.replace('!', '')} count: ${count} }
             type Query { x: [S!]! @public @minimize(to: AGGREGATE, of: "amount", groups: ["city"], subject: "who", floor: 3) }`,
            { Query: { x: () => given } },
          );
          const { data, errors } = await subgraph.ask('{ x { city sum average count } }', {});
          expect(errors).toBeUndefined();
          for (const each of data?.x as readonly Readonly<Record<string, unknown>>[]) {
            if (city.endsWith('!')) expect(each.city).not.toBeNull();
            expect(Number(each.count)).toBeGreaterThanOrEqual(3);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('exact division (property)', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const sumOf = (numbers: readonly number[]): Decimal =>
    numbers.reduce<Decimal>((sum, each) => addDecimals(sum, decimalOf(each) ?? { digits: 0n, scale: 0 }), {
      digits: 0n,
      scale: 0,
    });
  const exactly = (double: number): Decimal => {
    // All digits of a double: it is a whole number of 2 ** -1074.
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, Math.abs(double));
    const bits = view.getBigUint64(0);
    const exponent = bits >> 52n;
    const mantissa = (bits & ((1n << 52n) - 1n)) | (exponent === 0n ? 0n : 1n << 52n);
    const shift = exponent === 0n ? 0n : exponent - 1n;
    return { digits: (double < 0 ? -1n : 1n) * (mantissa << shift) * 5n ** 1074n, scale: 1074 };
  };
  const distance = (double: number, sum: Decimal, divisor: bigint): bigint => {
    const scale = Math.max(1074, sum.scale);
    const at = ({ digits, scale: from }: Decimal): bigint => digits * 10n ** BigInt(scale - from);
    const difference = at(exactly(double)) * divisor - at(sum);
    return difference < 0n ? -difference : difference;
  };
  const neighbours = (double: number): readonly number[] => {
    const view = new DataView(new ArrayBuffer(8));
    return [-1n, 1n].map((step) => {
      view.setFloat64(0, double);
      view.setBigInt64(0, view.getBigInt64(0) + step);
      return view.getFloat64(0);
    });
  };

  it('gives the closest double', () => {
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 1e6 }),
        (list, by) => {
          const [sum, divisor] = [sumOf(list), BigInt(by)];
          const result = closestQuotient(sum, divisor);
          fc.pre(Number.isFinite(result) && result !== 0);
          const off = distance(result, sum, divisor);
          for (const other of neighbours(result).filter(Number.isFinite))
            expect(distance(other, sum, divisor) >= off).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('and rounds decimals once, halves to the even digit', () => {
    const shown = (digits: bigint, divisor: bigint): string =>
      formatDecimal(divideTo({ digits, scale: 0 }, divisor, 0), 0);
    expect([1n, 3n, 5n, -1n, -3n, 4n].map((digits) => shown(digits, 2n))).toEqual([
      '0',
      '2',
      '2',
      '0',
      '-2',
      '2',
    ]);
    expect([1n, 2n, -2n].map((digits) => shown(digits, 3n))).toEqual(['0', '1', '-1']);
    expect(formatDecimal(divideTo({ digits: 5n, scale: 0 }, 3n, 6), 0)).toBe('1.666667');
  });
});
