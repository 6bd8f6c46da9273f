import fc from 'fast-check';
import { GraphQLString } from 'graphql';
import { describe, expect, it } from 'vitest';
import { compileMinimizer } from '../../directives/src/minimize/minimizer.js';
import { minimize } from '../../directives/src/specification/minimize.js';
import { testedSubgraph } from './support.js';

type Lists = readonly (readonly string[])[];

const JOBS: Lists = [
  ['HEALTH', 'NURSE', 'DOCTOR'],
  ['ANY', 'HEALTH', 'TRADE'],
];
const TEXT = '[["HEALTH", "NURSE", "DOCTOR"], ["ANY", "HEALTH", "TRADE"]]';
const ENUM = 'enum Job { NURSE DOCTOR HEALTH TRADE ANY SPY }';

function generalize(hierarchy: unknown, up?: unknown): (value: unknown) => unknown {
  const { statement } = minimize.compile({ to: 'GENERALIZE', hierarchy, up }, 'Query.x');
  const input = { coordinate: 'Query.x', pseudonymKey: undefined, onUnreadable: () => undefined };
  const minimizer = compileMinimizer({ ...input, statement, type: GraphQLString });
  return (value) => minimizer(value, { clientId: 'app' });
}

describe('a value becomes the category that the schema puts it in', () => {
  it.each([
    [undefined, ['HEALTH', 'HEALTH', 'ANY', 'ANY', 'ANY']],
    [1, ['HEALTH', 'HEALTH', 'ANY', 'ANY', 'ANY']],
    [2, ['ANY', 'ANY', 'ANY', 'ANY', 'ANY']],
    [100, ['ANY', 'ANY', 'ANY', 'ANY', 'ANY']],
  ])('%s up', (up, expected) => {
    expect(['NURSE', 'DOCTOR', 'HEALTH', 'TRADE', 'ANY'].map(generalize(JOBS, up))).toEqual(expected);
  });

  it.each(['nurse', '', ' NURSE', 'constructor', '__proto__', 7, true])('%j is unknown: null', (value) => {
    expect(generalize(JOBS)(value)).toBeNull();
  });

  it('and never shows one below it (property)', () => {
    // Each name is covered by an earlier one, or is topmost.
    const forest = fc.array(fc.nat(), { minLength: 1, maxLength: 30 }).map((draws) => {
      const covered = new Map<number, number[]>();
      for (const [index, draw] of draws.entries())
        covered.set(draw % (index + 1), [...(covered.get(draw % (index + 1)) ?? []), index + 1]);
      return [...covered].map(([category, names]) => [category, ...names].map(String));
    });
    fc.assert(
      fc.property(forest, fc.integer({ min: 1, max: 40 }), (lists, up) => {
        const once = generalize(lists);
        const result = generalize(lists, up);
        for (const name of lists.flat()) {
          let expected: unknown = name;
          for (let step = 0; step < up; step += 1) expected = once(expected);
          expect(result(name)).toBe(expected);
          expect(Number(result(name))).toBeLessThanOrEqual(Number(name));
        }
      }),
    );
  });
});

describe('a hierarchy that puts a value nowhere or at two places stops the start', () => {
  it.each<[string, unknown, string]>([
    ['none', [], '"hierarchy" must be lists, each of a category and what it covers'],
    ['no lists', ['A', 'B'], '"hierarchy" must be lists, each of a category and what it covers'],
    ['covers nothing', [['A']], '"hierarchy" must be lists, each of a category and what it covers'],
    ['an empty name', [['A', '']], '"hierarchy" must be lists, each of a category and what it covers'],
    [
      'two parents',
      [
        ['A', 'C'],
        ['B', 'C'],
      ],
      '"hierarchy" covers "C" twice',
    ],
    ['a duplicate', [['A', 'C', 'C']], '"hierarchy" covers "C" twice'],
    [
      'two lists of one category',
      [
        ['A', 'B'],
        ['A', 'C'],
      ],
      '"hierarchy" has two lists of "A"',
    ],
    ['itself', [['A', 'A']], '"hierarchy" covers "A" by itself'],
    [
      'a cycle',
      [
        ['A', 'B'],
        ['B', 'C'],
        ['C', 'A'],
      ],
      '"hierarchy" covers "B" by itself',
    ],
    [
      'too many',
      [Array.from({ length: 10_001 }, (_, index) => `n${index}`)],
      '"hierarchy" must have at most 10000 names',
    ],
  ])('%s', (_what, hierarchy, message) => {
    expect(() => generalize(hierarchy)).toThrow(
      expect.objectContaining({ code: 'INVALID_RULE', message: `Query.x: ${message}` }),
    );
  });

  it.each([0, 101, 1.5, '1'])('or is climbed by %j', (up) => {
    expect(() => generalize(JOBS, up)).toThrow('"up" must be a whole number from 1 to 100');
  });

  it('or is of another way to generalize', () => {
    expect(() => minimize.compile({ to: 'GENERALIZE', step: 5, up: 2 }, 'Query.x')).toThrow(
      '"up" does not go with "step"',
    );
  });
});

describe('an enum', () => {
  it('is generalized to its own values, whatever they stand for in the subgraph', async () => {
    const subgraph = testedSubgraph(
      `${ENUM} type Query {
        whole: [Job] @public
        x: [Job] @public @minimize(to: GENERALIZE, hierarchy: ${TEXT})
        top: Job! @public @minimize(to: GENERALIZE, hierarchy: ${TEXT}, up: 2)
      }`,
      {
        Job: { NURSE: 1, DOCTOR: 2, HEALTH: 1.5, ANY: 1.5 },
        Query: { x: () => [1, 'TRADE', 'SPY', 'nothing'], top: () => 1, whole: () => [1, 'SPY'] },
      },
    );
    const { data } = await subgraph.ask('{ x top whole }', {});
    expect(data).toEqual({ x: ['HEALTH', 'ANY', null, null], top: 'ANY', whole: ['NURSE', 'SPY'] });
    expect(subgraph.logged.map(({ code, facts }) => [code, facts.coordinate])).toEqual([
      ['VALUE_NOT_MINIMIZED', 'Query.x'],
    ]);
  });

  it.each([
    [
      `@minimize(to: GENERALIZE, hierarchy: [["HEALTH", "NURSE", "SURGEON"]])`,
      'Query.x: the enum Job has no value "SURGEON"',
    ],
    [
      '@minimize(to: GENERALIZE, step: 10)',
      'Query.x: @minimize(to: GENERALIZE) needs a field of a scalar type',
    ],
    ['@minimize(to: PSEUDONYMIZE)', 'Query.x: @minimize(to: PSEUDONYMIZE) needs a field of a scalar type'],
  ])('stops the start with %s', (directive, message) => {
    expect(() => testedSubgraph(`${ENUM} type Query { x: Job @public ${directive} }`)).toThrow(
      expect.objectContaining({ code: 'INVALID_RULE', message }),
    );
  });

  it.each(['Int', 'Float', 'Boolean', 'Day'])('and a text have categories, and %s has none', (type) => {
    const sdl = `scalar Day type Query { x: ${type} @public @minimize(to: GENERALIZE, hierarchy: ${TEXT}) }`;
    expect(() => testedSubgraph(sdl)).toThrow(
      'Query.x: @minimize(to: GENERALIZE) needs a field of type String, ID or an enum',
    );
  });
});
