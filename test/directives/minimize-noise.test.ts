import { describe, expect, it } from 'vitest';
import { testedSubgraph } from './support.js';
import type { TestedSubgraph } from './support.js';

let value: unknown;
function noisy(field: string): TestedSubgraph {
  return testedSubgraph(`type Query { x: ${field} }`, { Query: { x: () => value } });
}
async function answer(subgraph: TestedSubgraph, given: unknown, client = 'app'): Promise<unknown> {
  value = given;
  const { data, errors } = await subgraph.ask('{ x }', { client });
  expect(errors).toBeUndefined();
  return data?.x;
}
const FLOAT = 'Float @public @minimize(to: NOISE, spread: 1000)';
const INT = 'Int @public @minimize(to: NOISE, spread: 1000)';

describe('one answer leaves nearly all candidates within the spread possible', () => {
  /**
   * Counts which candidates could have produced this answer, given all that is known of the mechanism: a candidate is possible
   * if the difference is a possible noise. 32-bit noise added to a double left only 3 to 5 of 2,000.
   */
  function possible(answered: number, candidates: readonly number[], step: number, spread: number): number {
    return candidates.filter((candidate) => {
      const snapped = Math.round(candidate / step);
      const noise = answered / step - snapped;
      return Math.abs(noise - Math.round(noise)) < 1e-6 && Math.abs(noise * step) <= spread;
    }).length;
  }

  it.each([
    ['whole numbers as Float', FLOAT, 1, 1],
    ['whole numbers as Int', INT, 1, 1],
    ['cents', FLOAT, 0.01, 1],
    ['cents on a grid of cents', 'Float @public @minimize(to: NOISE, spread: 1000, step: 0.01)', 0.01, 0.01],
    ['whole numbers on a coarse grid', 'Float @public @minimize(to: NOISE, spread: 1000, step: 50)', 1, 50],
  ])('%s', async (_, field, unit, step) => {
    const subgraph = noisy(field);
    for (const given of [4_711, 0, -12_345, 1_000_000]) {
      const answered = Number(await answer(subgraph, given));
      const candidates = Array.from(
        { length: 2_000 / unit + 1 },
        (__, index) => answered - 1_000 + index * unit,
      );
      expect(possible(answered, candidates, step, 1_000)).toBeGreaterThan(0.94 * candidates.length);
    }
  });

  it('and lies on the grid, so that low bits carry nothing', async () => {
    const subgraph = noisy(FLOAT);
    for (let index = 0; index < 50; index += 1) {
      const answered = Number(await answer(subgraph, 1234.567_890_123 + index * 0.037_1));
      expect(Number.isInteger(answered)).toBe(true);
    }
    const cents = noisy('Float @public @minimize(to: NOISE, spread: 5, step: 0.01)');
    for (let index = 0; index < 50; index += 1)
      expect(String(await answer(cents, 12.345 + index))).toMatch(/^\d+(\.\d{1,2})?$/);
  });

  it('and all noise within the spread occurs, none beyond it', async () => {
    const subgraph = noisy('Int @public @minimize(to: NOISE, spread: 2)');
    const seen = new Set<number>();
    for (let given = 0; given < 200; given += 1) seen.add(Number(await answer(subgraph, given)) - given);
    expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    const floats = noisy('Float @public @minimize(to: NOISE, spread: 3, step: 1)');
    for (let given = 0; given < 100; given += 0.37)
      expect(Math.abs(Number(await answer(floats, given)) - given)).toBeLessThanOrEqual(3);
  });
});

describe('the noise', () => {
  it('is the same for the same value and client, and differs for others', async () => {
    const subgraph = noisy(FLOAT);
    const asked = async (given: unknown, client: string): Promise<unknown[]> =>
      Promise.all(Array.from({ length: 3 }, () => answer(subgraph, given, client)));
    expect(new Set(await asked(500, 'app')).size).toBe(1);
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, index) => answer(subgraph, 500, `app-${index}`)),
    );
    expect(new Set(clients).size).toBeGreaterThan(15);
    expect(await answer(subgraph, -0)).toBe(await answer(subgraph, 0));
  });

  it('applies to numbers of limited size only', async () => {
    const subgraph = noisy(FLOAT);
    for (const given of [Number.NaN, Infinity, -Infinity, 1e308, -1e300, 2 ** 53, 'x', '', {}, [1], null])
      expect(await answer(subgraph, given)).toBeNull();
    const whole = noisy(INT);
    for (const given of [2_147_483_648, 1.5, 'x', 1n]) expect(await answer(whole, given)).toBeNull();
    // The type serializes a numeric string as a number.
    expect(await answer(subgraph, '4711')).toBe(await answer(subgraph, 4711));
  });

  it('never makes an Int of what is not one', async () => {
    const subgraph = noisy(INT);
    for (let given = 2_147_483_600; given < 2_147_483_648; given += 1) {
      const answered = await answer(subgraph, given);
      if (answered !== null) expect(answered).toBeLessThanOrEqual(2_147_483_647);
    }
  });
});

describe('a spread or step that cannot work stops the start', () => {
  it.each([
    ['no spread', 'Float', ''],
    ['a spread of zero', 'Float', ', spread: 0'],
    ['a negative spread', 'Float', ', spread: -5'],
    ['a step larger than the spread', 'Float', ', spread: 5, step: 10'],
    ['a step as large as the spread', 'Float', ', spread: 10, step: 10'],
    ['a step of zero', 'Float', ', spread: 10, step: 0'],
    ['a step far too small', 'Float', ', spread: 1000, step: 1e-12'],
    ['a spread that moves no Int', 'Int', ', spread: 0.5'],
    ['an Int on a broken grid', 'Int', ', spread: 10, step: 0.5'],
    ['an Int on a grid that leaves no noise', 'Int', ', spread: 2, step: 2'],
    ['a type that is not a number', 'String', ', spread: 10'],
  ])('%s', (_, type, more) => {
    expect(() => noisy(`${type} @public @minimize(to: NOISE${more})`)).toThrow('Query.x: ');
  });

  it.each([
    ['Int', ', spread: 1'],
    ['Int', ', spread: 10, step: 5'],
    ['Float', ', spread: 0.001'],
    ['Float', ', spread: 10, step: 0.5'],
  ])('%s%s works', (type, more) => {
    expect(() => noisy(`${type} @public @minimize(to: NOISE${more})`)).not.toThrow();
  });
});
