import { execute, parse } from 'graphql';
import { buildSchema } from 'graphql';
import { expect, it } from 'vitest';
import { testedSubgraph } from './support.js';

// A rule changes values. Which entries there are, which of them are errors, and where, is as without it.

const FIELDS = {
  one: 'String',
  must: 'String!',
  list: '[String]',
  full: '[String!]',
  grid: '[[String]]',
  wall: '[[String!]!]!',
} as const;
type Field = keyof typeof FIELDS;

const RULES = {
  truncated: '@minimize(to: TRUNCATE, keep: 1)',
  masked: '@minimize(to: MASK, last: 1, showLength: true)',
  pseudonym: '@minimize(to: PSEUDONYMIZE)',
  redacted: '@minimize(to: REDACT)',
} as const;
type Rule = keyof typeof RULES;

class AppError extends Error {}

const fail = (message: string): Error => new AppError(message);
const later = async <Value>(value: Value): Promise<Value> => value;
const rejected = (message: string): Promise<never> => {
  const promise = Promise.reject(fail(message));
  // Whoever awaits it is told; until then Node is not.
  promise.catch(() => undefined);
  return promise;
};
/** A promise of another library: only `then`. */
const thenable = (value: unknown): object => ({
  then: (...handlers: Parameters<Promise<unknown>['then']>) => Promise.resolve(value).then(...handlers),
});
const custom = (entries: readonly unknown[]): object => ({
  [Symbol.iterator]: () => entries[Symbol.iterator](),
});
function* generated(...entries: readonly unknown[]): Generator {
  yield* entries;
}
function* breaking(): Generator {
  yield 'first';
  throw fail('no more rows');
}
const hostile = {
  get then(): never {
    throw fail('a getter');
  },
};

const RESULTS: [string, Field, () => unknown][] = [
  ['a value', 'one', () => 'whole'],
  ['a promise', 'one', () => later('whole')],
  ['a thenable', 'one', () => thenable('whole')],
  ['a promise of null', 'one', () => later(null)],
  ['undefined', 'one', () => undefined],
  ['a number', 'one', () => 12],
  ['the empty text', 'one', () => ''],
  [
    'a thrown error',
    'one',
    () => {
      throw fail('thrown');
    },
  ],
  ['a returned error', 'one', () => fail('returned')],
  ['a promise of an error', 'one', () => later(fail('later'))],
  ['a rejection', 'one', () => rejected('rejected')],
  ['a rejected thenable', 'one', () => thenable(Promise.reject(fail('text')))],
  ['a hostile getter', 'one', () => hostile],
  ['a returned error, not null', 'must', () => fail('returned')],
  ['null, not null', 'must', () => null],
  ['a promise of undefined, not null', 'must', () => later(undefined)],
  ['an array', 'list', () => ['a1', null, undefined, 'b2']],
  [
    'a sparse array',
    'list',
    () => {
      const sparse: unknown[] = [];
      sparse[2] = 'c3';
      return sparse;
    },
  ],
  ['an empty set', 'list', () => new Set()],
  ['a set', 'list', () => new Set(['a1', 'b2', null])],
  ['a generator', 'list', () => generated('a1', 'b2')],
  ['an iterable', 'list', () => custom(['a1', 'b2'])],
  [
    'keys of a map',
    'list',
    () =>
      new Map([
        ['a1', 1],
        ['b2', 2],
      ]).keys(),
  ],
  ['a typed array', 'list', () => Uint8Array.of(10, 20)],
  ['a String object', 'list', () => new String('ab')],
  ['promises', 'list', () => [later('a1'), 'b2', later(null)]],
  ['thenables', 'list', () => new Set([thenable('a1'), thenable(null)])],
  ['a promise of a set of promises', 'list', () => later(new Set([later('a1'), later('b2')]))],
  ['an error entry', 'list', () => ['a1', fail('second'), 'c3']],
  ['error entries of a set', 'list', () => new Set([fail('first'), 'b2', fail('third')])],
  [
    'error entries of a generator',
    'list',
    () => generated(fail('first'), rejected('second'), later(fail('third')), 'd4'),
  ],
  ['a hostile entry', 'list', () => ['a1', hostile, 'c3']],
  ['a generator that breaks', 'list', () => breaking()],
  ['an error in place of a list', 'list', () => fail('returned')],
  ['a rejection in place of a list', 'list', () => rejected('rejected')],
  ['a text in place of a list', 'list', () => 'whole'],
  ['a number in place of a list', 'list', () => 12],
  ['an object in place of a list', 'list', () => ({ length: 1, 0: 'a1' })],
  ['null in place of an entry', 'full', () => ['a1', null]],
  ['an error in place of an entry', 'full', () => new Set(['a1', fail('second')])],
  ['a late error in place of an entry', 'full', () => generated('a1', later(fail('second')))],
  ['a grid', 'grid', () => [['a1', null], null, new Set(['b2'])]],
  [
    'a grid of generators',
    'grid',
    () => generated(generated('a1', rejected('second')), later(generated('c3')), fail('row')),
  ],
  ['a grid with a text for a row', 'grid', () => [['a1'], 'whole']],
  ['a wall', 'wall', () => new Set([new Set(['a1']), [later('b2')]])],
  ['a wall with a hole', 'wall', () => [['a1'], [later(null)]]],
  ['a wall with an error', 'wall', () => [['a1'], generated('b2', fail('brick'))]],
  ['a wall without a row', 'wall', () => [['a1'], undefined]],
];

interface Shape {
  readonly data: unknown;
  readonly errors: readonly string[];
}

/** Where there are values, and where and why there are none. */
function shapeOf({
  data,
  errors = [],
}: {
  data?: unknown;
  errors?: readonly { message: string; path?: readonly (string | number)[] | undefined }[];
}): Shape {
  const told = errors.map(({ message, path = [] }) => `${path.join('.')}: ${message}`).sort();
  return { data: mapTexts(data, () => 'value'), errors: told };
}

function mapTexts(value: unknown, change: (text: string) => unknown): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapTexts(each, change)]));
}

let resolve: () => unknown;
const sdlOf = (rule: (rule: Rule) => string): string =>
  `type Query { ${Object.entries(FIELDS)
    .flatMap(([field, type]) =>
      (Object.keys(RULES) as Rule[]).map((each) => `${field}_${each}: ${type} ${rule(each)}`),
    )
    .join(' ')} }`;
const names = Object.keys(FIELDS).flatMap((field) => Object.keys(RULES).map((rule) => `${field}_${rule}`));
const plain = buildSchema(sdlOf(() => ''));
const root = Object.fromEntries(names.map((name) => [name, () => resolve()]));
const protectedOnes = testedSubgraph(
  sdlOf((rule) => `@authenticated ${RULES[rule]}`),
  { Query: root },
  { pseudonymKey: new Uint8Array(32) },
);

it.each(RESULTS)('%s', async (_what, field, result) => {
  resolve = result;
  for (const rule of Object.keys(RULES) as Rule[]) {
    const name = `${field}_${rule}`;
    // A nullable single value is null instead of redacted.
    if (name === 'one_redacted') continue;
    const expected = await execute({ schema: plain, document: parse(`{ ${name} }`), rootValue: root });
    const answer = await protectedOnes.ask(`{ ${name} }`, {});
    expect([name, shapeOf(answer)]).toEqual([name, shapeOf(expected)]);
    const given = JSON.stringify(expected.data);
    mapTexts(answer.data, (text) => {
      // A text of one character cannot be cut.
      if (text.length > 1) expect(given).not.toContain(JSON.stringify(text));
      return text;
    });
    if (rule === 'truncated')
      expect(answer.data).toEqual(mapTexts(expected.data, (text) => text.slice(0, 1)));
  }
  expect(protectedOnes.logged).toEqual([]);
});
