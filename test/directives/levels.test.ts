import type { Delegation } from '@behalf/directives';
import { RuleTable, statementInForce } from '@behalf/directives/internal';
import type { Minimization } from '@behalf/directives/internal';
import fc from 'fast-check';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { LINKS, testedSubgraph } from './support.js';

const PLACE = `
  type Query { home: Home @authenticated }
  type Home {
    street: String @authenticated @personalData(category: "location") @minimize(level: "city", to: REDACT)
    city: String @authenticated @personalData(category: "location")
      @minimize(level: "city", to: KEEP) @minimize(level: "country", to: REDACT)
    built: String @authenticated
      @minimize(level: "month", to: GENERALIZE, unit: MONTH)
      @minimize(to: GENERALIZE, unit: YEAR, unless: [["home:built"]])
      @minimize(level: "nothing", to: REDACT)
    number: String @authenticated @minimize(to: PSEUDONYMIZE, readableWith: [["home:number"]])
      @minimize(level: "nothing", to: REDACT)
  }`;
const HOME = { street: 'Ring 1', city: 'Graz', built: '1987-06-15', number: 'H-1' };
const QUERY = '{ home { street city built } }';

const subgraph = testedSubgraph(PLACE, { Query: { home: () => HOME } });

async function homeFor(inForce: unknown, scope = ''): Promise<unknown> {
  const { data } = await subgraph.ask(QUERY, { scope, inForce });
  return data?.home;
}

describe('a level of detail', () => {
  it('is not in force by default', async () => {
    expect(await homeFor(undefined)).toEqual({ street: 'Ring 1', city: 'Graz', built: '1987-01-01' });
    expect(await homeFor(undefined, 'home:built')).toEqual({
      street: 'Ring 1',
      city: 'Graz',
      built: '1987-06-15',
    });
  });

  it('holds for each field of its category', async () => {
    expect(await homeFor({ levels: { location: ['city'] } })).toMatchObject({ street: null, city: 'Graz' });
    expect(await homeFor({ levels: { location: ['city', 'country'] } })).toMatchObject({
      street: null,
      city: null,
    });
  });

  it('holds for one field alone', async () => {
    const inForce = { levels: { 'Home.street': ['city'] } };
    expect(await homeFor(inForce)).toMatchObject({ street: null, city: 'Graz' });
    expect(await homeFor({ levels: { 'Home.built': ['nothing'] } }, 'home:built')).toMatchObject({
      street: 'Ring 1',
      built: null,
    });
  });

  it('is lifted by no scope, and the strictest of level and default applies', async () => {
    const inForce = { levels: { 'Home.built': ['month'] } };
    expect(await homeFor(inForce)).toMatchObject({ built: '1987-01-01' });
    expect(await homeFor(inForce, 'home:built')).toMatchObject({ built: '1987-06-01' });
    expect(await homeFor({ levels: { 'Home.built': ['month', 'nothing'] } })).toMatchObject({ built: null });
  });

  it('that a field does not have is its strictest one', async () => {
    expect(await homeFor({ levels: { 'Home.built': ['decade'] } }, 'home:built')).toMatchObject({
      built: null,
    });
    expect(await homeFor({ levels: { location: ['*'] } })).toMatchObject({ street: null, city: null });
    expect(await homeFor({ levels: { 'Home.city': ['*'] } })).toMatchObject({ city: null });
  });

  it('of everything holds for each field', async () => {
    expect(await homeFor({ levels: { '*': ['*'] } }, 'home:built')).toEqual({
      street: null,
      city: null,
      built: null,
    });
  });

  it('holds for a field of a root type that has another name here', async () => {
    const renamed = testedSubgraph(
      `extend schema { query: RootQuery }
       type RootQuery { born: String @authenticated @minimize(level: "year", to: GENERALIZE, unit: YEAR) }`,
      { RootQuery: { born: () => '1987-06-15' } },
    );
    const { data } = await renamed.ask('{ born }', { inForce: { levels: { 'Query.born': ['year'] } } });
    expect(data).toEqual({ born: '1987-01-01' });
  });

  it('keeps the default from being lifted', async () => {
    expect(await homeFor({ nothing_lifts: true }, 'home:built')).toMatchObject({ built: '1987-01-01' });
  });

  it('is recorded as minimization, and a kept value is not', async () => {
    const { facts } = await subgraph.ask('{ home { street city } }', {
      inForce: { levels: { location: ['city'] } },
    });
    expect(facts?.fields).toContainEqual(['Home.street', 'minimized', 1, 'REDACT', '@authenticated']);
    expect(facts?.fields).toContainEqual(['Home.city', 'allowed', 1, null, '@authenticated']);
  });

  it.each<[string, unknown]>([
    ['no object', 'location'],
    ['a list', []],
    ['levels that are no object', { levels: ['city'] }],
    ['a level that is no list', { levels: { location: 'city' } }],
    ['an empty list', { levels: { location: [] } }],
    ['a level that is no text', { levels: { location: [1] } }],
    ['an empty name', { levels: { '': ['city'] } }],
    ['more entries than are read', { levels: Object.fromEntries(range(65).map((n) => [`c${n}`, ['x']])) }],
    ['more levels than are read', { levels: { location: range(17).map((n) => `l${n}`) } }],
    ['a name that is too long', { levels: { [`c${'x'.repeat(256)}`]: ['x'] } }],
    ['a switch that is not true', { nothing_lifts: false }],
  ])('that cannot be read refuses the token: %s', async (_what, inForce) => {
    const { data, facts } = await subgraph.ask(QUERY, { inForce });
    expect(data).toEqual({ home: null });
    expect(facts).toMatchObject({ refusedToken: 'TXN_TOKEN_CLAIM' });
  });
});

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index);
}

describe('statements of levels', () => {
  const minimizationOf = (field: string): Minimization => {
    const table = new RuleTable(parse(`${LINKS} type Query { x: String ${field} }`), { coverage: 'open' });
    const minimization = table.field('Query', 'x')?.minimization;
    if (minimization === undefined) throw new Error('it has no statement');
    return minimization;
  };

  it.each<[string, string]>([
    ['two defaults', '@minimize(to: REDACT) @minimize(to: TRUNCATE)'],
    [
      'two defaults that other scopes lift',
      '@minimize(to: MASK, unless: [["a"]]) @minimize(to: MASK, unless: [["b"]])',
    ],
    [
      'two defaults, of which one is lifted by more',
      '@minimize(to: MASK, unless: [["a"]]) @minimize(to: MASK, unless: [["a"], ["b"]])',
    ],
    ['one level twice', '@minimize(level: "a", to: TRUNCATE) @minimize(level: "a", to: REDACT)'],
    [
      'a level that leaves more',
      '@minimize(to: TRUNCATE, keep: 2) @minimize(level: "a", to: TRUNCATE, keep: 3)',
    ],
    ['a level that leaves the same', '@minimize(to: REDACT) @minimize(level: "a", to: REDACT)'],
    ['a level that keeps what the default does not', '@minimize(to: MASK) @minimize(level: "a", to: KEEP)'],
    ['scopes that lift a level', '@minimize(level: "a", to: REDACT, unless: [["s"]])'],
    ['a default that keeps the value', '@minimize(to: KEEP)'],
    ['a level for all levels', '@minimize(level: "*", to: REDACT)'],
    ['a level with a dot', '@minimize(level: "a.b", to: REDACT)'],
    ['a level without a name', '@minimize(level: "", to: REDACT)'],
    [
      'two levels of pseudonyms',
      '@minimize(level: "a", to: PSEUDONYMIZE, readableWith: [["s"]]) @minimize(level: "b", to: PSEUDONYMIZE)',
    ],
  ])('stop the start: %s', (_what, field) => {
    expect(() => minimizationOf(field)).toThrow(expect.objectContaining({ code: 'INVALID_RULE' }) as Error);
  });

  // The 255th would be noted in the byte that stands for the whole value.
  it.each([17, 256, 257])('stop the start: %i of one field', (count) => {
    const levels = Array.from(
      { length: count },
      (_, index) => `@minimize(level: "l${index}", to: TRUNCATE, keep: ${1_000 - index})`,
    );
    expect(() => minimizationOf(levels.join(' '))).toThrow('more than 16 levels');
    expect(minimizationOf(levels.slice(0, 16).join(' ')).statements).toHaveLength(16);
  });

  it('count once if several subgraphs say the same in other words', () => {
    const { statements } = minimizationOf(
      '@minimize(to: MASK, last: 4, unless: [["b", "a"], ["c"]]) @minimize(to: MASK, first: 0, last: 4, unless: [["c"], ["c", "x"], ["a", "b", "a"]])',
    );
    expect(statements).toHaveLength(1);
  });

  it('may leave the same as a default that scopes lift', () => {
    const { statements } = minimizationOf(
      '@minimize(to: REDACT, unless: [["s"]]) @minimize(level: "a", to: REDACT)',
    );
    expect(statements.map(({ level }) => level)).toEqual([undefined, 'a']);
  });

  it('may be of strategies that cannot be compared: their order is the word of their author', () => {
    expect(
      minimizationOf('@minimize(level: "a", to: MASK) @minimize(level: "b", to: TRUNCATE, keep: 1)')
        .statements,
    ).toHaveLength(2);
  });

  describe('for any delegation', () => {
    const minimization = minimizationOf(
      `@personalData(category: "c")
        @minimize(level: "a", to: TRUNCATE, keep: 9)
        @minimize(to: TRUNCATE, keep: 5, unless: [["s"], ["t", "u"]])
        @minimize(level: "b", to: TRUNCATE, keep: 3)
        @minimize(level: "d", to: REDACT)`,
    );
    const names = fc.subarray(['a', 'b', 'd', 'other', '*']);
    const delegations = fc.record({
      scopes: fc.subarray(['s', 't', 'u']),
      nothingLifts: fc.boolean(),
      levels: fc.dictionary(fc.constantFrom('c', 'Query.x', 'else'), names),
    });
    type Made = typeof delegations extends fc.Arbitrary<infer Value> ? Value : never;
    const delegationOf = ({ scopes, nothingLifts, levels }: Made): Delegation => ({
      subject: 'alma',
      clientId: 'app',
      scopes: new Set(scopes),
      policies: new Set(),
      roles: [],
      detail: {
        ...(nothingLifts ? { nothingLifts: true as const } : {}),
        levels: new Map(Object.entries(levels).map(([name, of]) => [name, new Set(of)])),
      },
    });
    const rankOf = (made: Made): number => {
      const statement = statementInForce(minimization, delegationOf(made));
      return statement === undefined ? -1 : minimization.statements.indexOf(statement);
    };

    it('leave no more when another level comes on top, and no less when a scope does', () => {
      fc.assert(
        fc.property(delegations, fc.constantFrom('c', 'Query.x'), names, (made, name, added) => {
          const before = made.levels[name] ?? [];
          const stricter = { ...made, levels: { ...made.levels, [name]: [...before, ...added] } };
          expect(rankOf(stricter)).toBeGreaterThanOrEqual(rankOf(made));
          expect(rankOf({ ...made, nothingLifts: true })).toBeGreaterThanOrEqual(rankOf(made));
          expect(rankOf({ ...made, scopes: ['s', 't', 'u'] })).toBeLessThanOrEqual(rankOf(made));
        }),
      );
    });

    it('are decided as an independent reading of the rule decides', () => {
      fc.assert(
        fc.property(delegations, (made) => {
          const inForce = [...(made.levels['c'] ?? []), ...(made.levels['Query.x'] ?? [])];
          const all = inForce.includes('*') || made.levels['Query.x']?.includes('other') === true;
          const has = (level: string): boolean => all || inForce.includes(level);
          const isLifted =
            !made.nothingLifts &&
            (made.scopes.includes('s') || (made.scopes.includes('t') && made.scopes.includes('u')));
          const expected = has('d') ? 3 : has('b') ? 2 : !isLifted ? 1 : has('a') ? 0 : -1;
          expect(rankOf(made)).toBe(expected);
        }),
      );
    });

    it('are the default for anonymous callers', () => {
      expect(statementInForce(minimization, undefined)).toBe(minimization.statements[1]);
    });
  });
});
