import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { GraphQLFloat, GraphQLInt } from 'graphql';
import type { GraphQLOutputType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { drawNoise, KeyedBits } from '../../directives/src/minimize/discrete-noise.js';
import type { Distribution, Ratio } from '../../directives/src/minimize/discrete-noise.js';
import { compileMinimizer } from '../../directives/src/minimize/minimizer.js';
import type { MinimizationContext } from '../../directives/src/minimize/strategy.js';
import { minimize } from '../../directives/src/specification/minimize.js';
import { testedSubgraph } from './support.js';

const KEY = Buffer.alloc(32, 7);
const DRAWS = 20_000;

/** The same draws in every run: a test that fails by chance would be repeated, and believed the second time. */
function draws(distribution: Distribution, scale: Ratio): readonly number[] {
  return Array.from({ length: DRAWS }, (_, index) =>
    Number(drawNoise(distribution, scale, new KeyedBits(KEY, Buffer.from(`draw ${index}`)))),
  );
}

const probability: Readonly<Record<Distribution, (distance: number, scale: number) => number>> = {
  LAPLACE: (distance, scale) => {
    const q = Math.exp(-1 / scale);
    return ((1 - q) / (1 + q)) * q ** Math.abs(distance);
  },
  GAUSSIAN: (distance, scale) => {
    const weight = (x: number): number => Math.exp((-x * x) / (2 * scale * scale));
    let sum = 0;
    for (let x = -Math.ceil(scale * 20); x <= scale * 20; x++) sum += weight(x);
    return weight(distance) / sum;
  },
};

/** Pearson's statistic over the distances that are expected at least ten times; the others are one class. */
function chiSquare(
  drawn: readonly number[],
  expected: (distance: number) => number,
): { value: number; degrees: number } {
  const seen = new Map<number, number>();
  for (const each of drawn) seen.set(each, (seen.get(each) ?? 0) + 1);
  let [value, degrees, restSeen, restExpected] = [0, 0, drawn.length, drawn.length];
  for (let distance = -1_000; distance <= 1_000; distance++) {
    const wanted = expected(distance) * drawn.length;
    if (wanted < 10) continue;
    value += ((seen.get(distance) ?? 0) - wanted) ** 2 / wanted;
    degrees += 1;
    restSeen -= seen.get(distance) ?? 0;
    restExpected -= wanted;
  }
  return { value: value + (restSeen - restExpected) ** 2 / Math.max(restExpected, 1), degrees };
}

describe.each<[Distribution]>([['LAPLACE'], ['GAUSSIAN']])('%s noise', (distribution) => {
  it.each<[string, Ratio]>([
    ['half a step', { numerator: 1n, denominator: 2n }],
    ['one step', { numerator: 1n, denominator: 1n }],
    ['three and a third', { numerator: 10n, denominator: 3n }],
    ['twenty steps', { numerator: 20n, denominator: 1n }],
  ])('follows its distribution at a scale of %s (chi-squared)', (_name, scale) => {
    const size = Number(scale.numerator) / Number(scale.denominator);
    const { degrees, value } = chiSquare(draws(distribution, scale), (distance) =>
      probability[distribution](distance, size),
    );
    expect(degrees).toBeGreaterThan(1);
    // Four standard deviations above the mean of the statistic, whose variance is twice its degrees of freedom.
    expect(value).toBeLessThan(degrees + 4 * Math.sqrt(2 * degrees) + 4);
  });

  it('is another distribution’s no longer (the test would notice)', () => {
    const other = distribution === 'LAPLACE' ? 'GAUSSIAN' : 'LAPLACE';
    const scale = { numerator: 10n, denominator: 3n };
    const { degrees, value } = chiSquare(draws(distribution, scale), (distance) =>
      probability[other](distance, 10 / 3),
    );
    expect(value).toBeGreaterThan(degrees + 4 * Math.sqrt(2 * degrees) + 4);
  });
});

describe('keyed bits', () => {
  it('are the same for one key and seed, and others for another', () => {
    const read = (key: Uint8Array, seed: string): string => {
      const bits = new KeyedBits(key, Buffer.from(seed));
      return Array.from({ length: 40 }, () => bits.below(256n)).join();
    };
    expect(read(KEY, 'a')).toBe(read(KEY, 'a'));
    expect(read(KEY, 'a')).not.toBe(read(KEY, 'b'));
    expect(read(KEY, 'a')).not.toBe(read(Buffer.alloc(32, 8), 'a'));
  });

  it('are below every limit, and reach all numbers below it (property)', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 70n }), fc.string(), (limit, seed) => {
        const drawn = new KeyedBits(KEY, Buffer.from(seed)).below(limit);
        expect(drawn >= 0n && drawn < limit).toBe(true);
      }),
    );
    const bits = new KeyedBits(KEY, Buffer.from('all'));
    expect(new Set(Array.from({ length: 200 }, () => bits.below(5n))).size).toBe(5);
  });

  it('end', () => {
    const bits = new KeyedBits(KEY, Buffer.from('end'));
    expect(() => {
      for (;;) bits.below(2n ** 64n);
    }).toThrow('The noise needs too many bits');
  });
});

function noise(args: object, type: GraphQLOutputType = GraphQLFloat) {
  const { statement } = minimize.compile({ to: 'NOISE', ...args }, 'Query.x');
  const input = { coordinate: 'Query.x', pseudonymKey: KEY, onUnreadable: () => undefined };
  const minimizer = compileMinimizer({ ...input, statement, type });
  return (value: unknown, who: Partial<MinimizationContext> = {}) =>
    minimizer(value, { clientId: 'app', ...who });
}

const LAPLACE = { distribution: 'LAPLACE', scale: 300, step: 100 } as const;

describe('NOISE of a shape', () => {
  it('lies on the grid, whatever the value', () => {
    const by = noise({ ...LAPLACE, step: 0.1, scale: 3 });
    for (let value = -5; value < 5; value += 0.037) expect(String(by(value))).toMatch(/^-?\d+(?:\.\d)?$/);
  });

  it('is the same when asked again: averaging takes nothing out', () => {
    const by = noise(LAPLACE);
    const who = { clientId: 'app', purposes: ['budgeting'], entity: '["a-1"]' };
    const answers = Array.from({ length: 50 }, () => by(1_234, who));
    expect(new Set(answers).size).toBe(1);
    expect(by(1_234, { ...who, purposes: ['budgeting', 'budgeting'] })).toBe(answers[0]);
    const both = { ...who, purposes: ['a', 'b'] };
    expect(by(1_234, { ...both, purposes: ['b', 'a'] })).toBe(by(1_234, both));
  });

  it.each<[string, (index: number) => Partial<MinimizationContext>]>([
    ['entity: equal people differ', (index) => ({ entity: `["a-${index}"]` })],
    ['client: two cannot join what they got', (index) => ({ clientId: `app-${index}` })],
    ['purpose', (index) => ({ purposes: [`purpose-${index}`] })],
    ['person, where there is no entity', (index) => ({ subject: `person-${index}` })],
  ])('differs by %s', (_what, who) => {
    const by = noise(LAPLACE);
    const answers = Array.from({ length: 40 }, (_, index) => by(50_000, who(index)));
    expect(new Set(answers).size).toBeGreaterThan(5);
  });

  it('stays an Int, also near the end of the type', () => {
    const by = noise({ distribution: 'GAUSSIAN', scale: 1_000, step: 7 }, GraphQLInt);
    const last = 2_147_483_646;
    for (const [value, end] of [
      [2 ** 31 - 1, last],
      [-(2 ** 31), -last],
    ] as const) {
      const answers = Array.from({ length: 60 }, (_, index) => by(value, { entity: String(index) }));
      for (const answer of answers) {
        expect(answer).toEqual(expect.any(Number));
        expect(Math.abs(Number(answer))).toBeLessThanOrEqual(last);
        expect(Math.abs(Number(answer) % 7)).toBe(0);
      }
      expect(answers).toContain(end);
      expect(new Set(answers).size).toBeGreaterThan(10);
    }
    // A Float has no such end.
    const float = noise({ distribution: 'GAUSSIAN', scale: 1_000, step: 7 });
    const beyond = Array.from({ length: 60 }, (_, index) =>
      Number(float(2 ** 31 - 1, { entity: String(index) })),
    );
    expect(Math.max(...beyond)).toBeGreaterThan(last);
  });

  it.each([
    [{ ...LAPLACE, distribution: 5 }, '"distribution" must be one of LAPLACE, GAUSSIAN'],
    [{ scale: 300 }, '"distribution" must be one of LAPLACE, GAUSSIAN'],
    [
      { ...LAPLACE, distribution: 'LAPLASE' },
      '"distribution" must be one of LAPLACE, GAUSSIAN; did you mean LAPLACE?',
    ],
    [{ ...LAPLACE, spread: 3 }, '"spread" does not go with "distribution": "scale" says how far'],
    [{ ...LAPLACE, step: undefined }, '"step" must be a number above 0'],
    [{ ...LAPLACE, scale: undefined }, '"scale" must be a number above 0'],
    [{ ...LAPLACE, scale: 49 }, 'NOISE needs a "scale" of at least half a step and at most 2^31 steps'],
    [
      { ...LAPLACE, scale: 1e12, step: 1e-6 },
      'NOISE needs a "scale" of at least half a step and at most 2^31 steps',
    ],
  ])('stops the start: %j', (args, message) => {
    expect(() => noise(args)).toThrow(`Query.x: ${message}`);
  });

  it.each([
    [0.5, 1],
    [2 ** 31, 1],
    [0.05, 0.1],
    [1.25, 2.5],
  ])('works with a scale of %d and a step of %d', (scale, step) => {
    const answers = Array.from({ length: 20 }, (_, index) =>
      Number(noise({ distribution: 'GAUSSIAN', scale, step })(0, { entity: String(index) })),
    );
    const steps = answers.map((answer) => Math.abs(answer / step));
    // Within five standard deviations, and not all where they were.
    expect(Math.max(...steps)).toBeLessThanOrEqual((scale / step) * 5 + 1);
    expect(Math.max(...steps)).toBeGreaterThan(0);
  });

  it('has whole steps for an Int', () => {
    expect(() => noise({ ...LAPLACE, step: 0.5, scale: 1 }, GraphQLInt)).toThrow('steps of an Int are whole');
  });
});

describe('the entity of noise', () => {
  const rows = [
    { id: 1, sku: 'x', price: 5_000 },
    { id: 2, sku: 'x', price: 5_000 },
    { id: 1, sku: 'y', price: 5_000 },
  ];
  const asked = async (key: string): Promise<readonly number[]> => {
    const subgraph = testedSubgraph(
      `type Query { rows: [Row] @public }
       type Row ${key} { id: ID @public sku: ID @public
         price: Float @public @minimize(to: NOISE, distribution: GAUSSIAN, scale: 5000, step: 1) }`,
      { Query: { rows: () => rows } },
    );
    const { data } = await subgraph.ask('{ rows { price } }', {});
    return (data as { rows: { price: number }[] }).rows.map(({ price }) => price);
  };

  it('is its first key of plain values', async () => {
    const [first, second, third] = await asked('@key(fields: "id")');
    expect(third).toBe(first);
    expect(second).not.toBe(first);
    expect(new Set(await asked('@key(fields: "id sku")')).size).toBe(3);
    expect(new Set(await asked('@key(fields: "sku") @key(fields: "id")')).size).toBe(2);
  });

  it('is nothing without a key: then equal values of one caller get the same', async () => {
    expect(new Set(await asked('')).size).toBe(1);
  });
});

it('draws are the same in every version: clients would see all noise change at an upgrade', () => {
  const scale = { numerator: 10n, denominator: 3n };
  const digestOf = (distribution: Distribution): string =>
    createHash('sha256').update(draws(distribution, scale).slice(0, 500).join()).digest('hex').slice(0, 16);
  expect([digestOf('LAPLACE'), digestOf('GAUSSIAN')]).toMatchInlineSnapshot(`
    [
      "360bd6794a31e659",
      "69e1d17dd4f185ee",
    ]
  `);
});
