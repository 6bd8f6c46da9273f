import { GraphQLScalarType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { testedSubgraph } from './support.js';

type Row = Readonly<Record<string, unknown>>;

const TYPE = `type CityStatistic @public {
  city: String
  count: Int!
  subjects: Int!
  sum: Float
  average: Float
}`;
const BY_CITY = 'to: AGGREGATE, of: "amount", groups: ["city"], subject: "ownerId", floor: 3';
const ALL = '{ x { city count subjects sum average } }';

const row = (ownerId: unknown, amount: unknown, city: unknown = 'Graz'): Row => ({ ownerId, amount, city });
/** As many people, one row each. */
const people = (count: number, city = 'Graz', amount: unknown = 10): readonly Row[] =>
  Array.from({ length: count }, (_, index) => row(`${city}-${index}`, amount, city));

function subgraphOf(rows: unknown, by: string = BY_CITY, type: string = TYPE, shadow = false) {
  return testedSubgraph(
    `${type} type Query { x: [CityStatistic!] @public @minimize(${by}) }`,
    { Query: { x: rows instanceof Function ? (rows as () => unknown) : () => rows } },
    shadow ? { enforcement: 'shadow' } : {},
  );
}

async function statistic(rows: unknown, by?: string, type?: string, query = ALL): Promise<unknown> {
  const { data, errors } = await subgraphOf(rows, by, type).ask(query, {});
  expect(errors).toBeUndefined();
  return JSON.parse(JSON.stringify(data?.x)) as unknown;
}

const GRAZ = { city: 'Graz', count: 3, subjects: 3, sum: 30, average: 10 };

describe('rows are answered as groups', () => {
  const rows = [...people(3), ...people(4, 'Linz', 0.1)];
  const expected = [GRAZ, { city: 'Linz', count: 4, subjects: 4, sum: 0.4, average: 0.1 }];

  it.each<[string, () => unknown]>([
    ['a list', () => rows],
    ['a set', () => new Set(rows)],
    ['a generator', () => rows.values()],
    ['a promise', () => Promise.resolve(rows)],
    ['a list of promises', () => rows.map((each) => Promise.resolve(each))],
    ['promises and rows', () => rows.map((each, at) => (at % 2 === 0 ? each : Promise.resolve(each)))],
    [
      'an asynchronous list',
      async function* () {
        for (const each of rows) yield await Promise.resolve(each);
      },
    ],
    ['objects of a class', () => rows.map((each) => Object.create(each) as Row)],
  ])('of %s', async (_what, make) => {
    expect(await statistic(make())).toEqual(expected);
  });

  it('also of none at all, and null is null', async () => {
    expect(await statistic([])).toEqual([]);
    expect(await statistic(null)).toBeNull();
  });

  it('without groups, as one of all', async () => {
    const by = 'to: AGGREGATE, of: "amount", subject: "ownerId", floor: 3';
    expect(await statistic(rows, by)).toEqual([
      { city: null, count: 7, subjects: 7, sum: 30.4, average: 30.4 / 7 },
    ]);
  });

  it('by several properties, and by buckets of the number', async () => {
    const type =
      'enum Sex { F M } type CityStatistic @public { sex: Sex! city: String bucket: Int! count: Int }';
    const by = `to: AGGREGATE, of: "amount", groups: ["sex", "city"], buckets: [0, 100], subject: "ownerId", floor: 3`;
    const sexed = (sex: string, amount: unknown) =>
      people(3, 'Graz', amount).map((each) => ({ ...each, sex }));
    const given = [...sexed('M', '100.00'), ...sexed('M', 99.5), ...sexed('F', -3n), ...sexed('F', '12.5')];
    expect(await statistic(given, by, type, '{ x { sex city bucket count } }')).toEqual([
      { sex: 'F', city: 'Graz', bucket: 0, count: 6 },
      { sex: 'M', city: 'Graz', bucket: 0, count: 3 },
      { sex: 'M', city: 'Graz', bucket: 100, count: 3 },
    ]);
  });

  it('by named buckets, in the order of the buckets', async () => {
    const type = 'type CityStatistic @public { bucket: String! count: Int }';
    const by = `to: AGGREGATE, of: "amount", buckets: [0, 18], names: ["minor", "adult"], subject: "ownerId", floor: 3`;
    const given = [...people(3, 'a', 40), ...people(3, 'b', 4)];
    expect(await statistic(given, by, type, '{ x { bucket count } }')).toEqual([
      { bucket: 'minor', count: 3 },
      { bucket: 'adult', count: 3 },
    ]);
  });

  it('with null as a group of its own, unless the field may not be null', async () => {
    const given = [...people(3), ...people(3).map((each) => ({ ...each, city: null }))];
    expect(await statistic(given)).toEqual([{ ...GRAZ, city: null }, GRAZ]);
    expect(await statistic(given, BY_CITY, TYPE.replace('city: String', 'city: String!'))).toEqual([GRAZ]);
  });

  it('of a custom scalar, by what it writes', async () => {
    const Day = new GraphQLScalarType({
      name: 'Day',
      serialize: (value) => {
        if (value instanceof Date) return value.toISOString().slice(0, 10);
        throw new TypeError('no date');
      },
    });
    const subgraph = testedSubgraph(
      `scalar Day type DayStatistic @public { day: Day! count: Int! }
       type Query { x: [DayStatistic!]! @public @minimize(to: AGGREGATE, groups: ["day"], subject: "id", floor: 3) }`,
      {
        Day: Day as never,
        Query: {
          x: () => [1, 2, 3].map((id) => ({ id, day: new Date(`2026-01-02T0${id}:00:00Z`) })),
        },
      },
    );
    expect((await subgraph.ask('{ x { day count } }', {})).data?.x).toEqual([
      { day: '2026-01-02', count: 3 },
    ]);
  });
});

describe('numbers are exact', () => {
  const text = TYPE.replaceAll(/(sum|average): Float/g, '$1: String');

  it('as decimals, also beyond doubles', async () => {
    const given = ['0.10', '0.20', '12345678901234567890.03'].map((amount, at) => row(`p${at}`, amount));
    const answer = { city: 'Graz', count: 3, subjects: 3 };
    expect(await statistic(given, BY_CITY, text)).toEqual([
      { ...answer, sum: '12345678901234567890.33', average: '4115226300411522630.11' },
    ]);
    expect(
      await statistic(
        [1, 2, 2].map((amount, at) => row(`p${at}`, amount)),
        BY_CITY,
        text,
      ),
    ).toEqual([{ ...answer, sum: '5', average: '1.666667' }]);
  });

  it('of decimals that are objects', async () => {
    const given = people(3, 'Graz', { toJSON: () => '1.10' });
    expect(await statistic(given, BY_CITY, text)).toMatchObject([{ sum: '3.30', average: '1.10' }]);
  });

  it('as a custom scalar has them', async () => {
    const seen: unknown[] = [];
    const Big = new GraphQLScalarType({
      name: 'BigInt',
      serialize: (value) => {
        seen.push(value);
        return String(value);
      },
    });
    const subgraph = testedSubgraph(
      `scalar BigInt type CityStatistic @public { sum: BigInt }
       type Query { x: [CityStatistic!] @public @minimize(to: AGGREGATE, of: "amount", subject: "ownerId", floor: 3) }`,
      { BigInt: Big as never, Query: { x: () => people(3, 'Graz', 2n ** 62n) } },
    );
    expect((await subgraph.ask('{ x { sum } }', {})).data?.x).toEqual([{ sum: String(3n * 2n ** 62n) }]);
    expect(new Set(seen)).toEqual(new Set([3n * 2n ** 62n]));
  });

  it.each<[string, unknown]>([
    ['too large', 2_000_000_000],
    ['no whole number', 0.5],
  ])('and null if the sum is %s for an Int', async (_what, amount) => {
    const subgraph = subgraphOf(people(3, 'Graz', amount), BY_CITY, TYPE.replace('sum: Float', 'sum: Int'));
    const { data, errors } = await subgraph.ask('{ x { count sum } }', {});
    expect([data?.x, errors]).toEqual([[{ count: 3, sum: null }], undefined]);
    expect(subgraph.logged.map(({ code }) => code)).toEqual(['VALUE_NOT_MINIMIZED']);
  });

  it('and whole if halves add up', async () => {
    const type = TYPE.replace('sum: Float', 'sum: Int');
    expect(await statistic(people(4, 'Graz', 0.5), BY_CITY, type)).toMatchObject([{ sum: 2, average: 0.5 }]);
  });
});

describe('a group of few is not answered', () => {
  it('however many rows a person has: each counts once', async () => {
    const many = Array.from({ length: 1_000 }, () => row('alma', 1));
    expect(await statistic([...many, row('bela', 1)])).toEqual([]);
    expect(await statistic([...many, row('bela', 1), row('cleo', 1)])).toEqual([
      { city: 'Graz', count: 1_002, subjects: 3, sum: 1_002, average: 1 },
    ]);
  });

  it('however a person is written: 7, "7" and 7n are one', async () => {
    expect(await statistic([row(7, 1), row('7', 1), row(7n, 1), row(8, 1)])).toEqual([]);
  });

  it('nor counts who has no number, so that no sum is of fewer', async () => {
    expect(await statistic([row('a', 100), row('b', null), row('c', undefined), row('d', null)])).toEqual([]);
  });

  it('nor rows that are nobody’s', async () => {
    expect(await statistic([row('a', 1), row('b', 1), row(null, 1), row(undefined, 1)])).toEqual([]);
  });

  it('and one person more below the floor changes nothing', async () => {
    const visible = people(3);
    expect(await statistic([...visible, row('zoe', 5, 'Linz')])).toEqual(await statistic(visible));
    expect(await statistic([...visible, row('zoe', 5, 'Linz'), row('yan', 5, 'Linz')])).toEqual([GRAZ]);
  });

  it('under no alias, and with no fragment', async () => {
    const { data, errors } = await subgraphOf([...people(2, 'Linz'), ...people(3)]).ask(
      '{ a: x { city sum } b: x { city count: sum } c: x { ... on CityStatistic { city } } }',
      {},
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      a: [{ city: 'Graz', sum: 30 }],
      b: [{ city: 'Graz', count: 30 }],
      c: [{ city: 'Graz' }],
    });
  });

  it('whatever the caller holds, and in shadow mode', async () => {
    const rows = [...people(2, 'Linz'), ...people(3)];
    for (const shadow of [false, true]) {
      const { data, facts } = await subgraphOf(rows, BY_CITY, TYPE, shadow).ask(ALL, {
        scope: 'every scope',
      });
      expect(data).toEqual({ x: [GRAZ] });
      expect(JSON.stringify(facts)).toContain('AGGREGATE');
      expect(JSON.stringify(facts)).not.toContain('Linz');
    }
  });
});

describe('no row is seen by a resolver of the statistic', () => {
  it('which gets the numbers and groups, and nothing else', async () => {
    const seen: unknown[] = [];
    const subgraph = testedSubgraph(
      `type CityStatistic @public { city: String count: Int! note: String }
       type Query { x: [CityStatistic!]! @public @minimize(to: AGGREGATE, groups: ["city"], subject: "ownerId", floor: 3) }`,
      {
        CityStatistic: {
          note: (source) => {
            seen.push(source);
            return 'ours';
          },
        },
        Query: { x: () => people(3).map((each) => ({ ...each, note: 'private' })) },
      },
    );
    const { data } = await subgraph.ask('{ x { city note } }', {});
    expect(data).toEqual({ x: [{ city: 'Graz', note: 'ours' }] });
    expect(seen).toEqual([{ city: 'Graz', count: 3 }]);
  });
});

describe('what cannot be read is logged', () => {
  it.each<[string, unknown]>([
    ['a number', row('zoe', 'much')],
    ['a number that is not finite', row('zoe', NaN)],
    ['a number that is an object', row('zoe', {})],
    ['a person', row({}, 1)],
    ['a person without a name', row('', 1)],
    ['half a person', row(0.5, 1)],
    ['a group', row('zoe', 1, {})],
    ['a row', 'zoe'],
  ])('and not counted: %s', async (_what, unreadable) => {
    const subgraph = subgraphOf([unreadable, ...people(3)]);
    expect((await subgraph.ask(ALL, {})).data).toEqual({ x: [GRAZ] });
    expect(subgraph.logged).toEqual([
      { code: 'VALUE_NOT_MINIMIZED', facts: { subgraph: 'tested', coordinate: 'Query.x', count: 1 } },
    ]);
  });

  it.each<[string, () => unknown]>([
    ['an error', () => [new Error('of zoe'), ...people(3)]],
    ['a rejected promise', () => [...people(3), Promise.reject(new Error('of zoe'))]],
    [
      'a property that throws',
      () => [
        ...people(3),
        {
          get ownerId() {
            throw new Error('of zoe');
          },
        },
      ],
    ],
    [
      'a rejected entry of an asynchronous list',
      () => {
        const rows: unknown[] = [...people(3), new Error('of zoe')];
        return {
          [Symbol.asyncIterator]: () => ({
            next: () =>
              Promise.resolve({
                done: rows.length === 0,
                value: rows.length === 0 ? undefined : rows.shift(),
              }),
          }),
        };
      },
    ],
  ])('but %s for a row fails the field, without its message', async (_what, rows) => {
    const { data, errors } = await subgraphOf(rows).ask(ALL, {});
    expect(data).toEqual({ x: null });
    expect(errors?.map((error) => error.toJSON())).toEqual([
      {
        message: 'A row of the statistic failed',
        locations: [{ line: 1, column: 3 }],
        path: ['x'],
        extensions: { code: 'STATISTIC_ROW_FAILED', coordinate: 'Query.x' },
      },
    ]);
  });

  it('and a resolver’s own error is reported as without a statistic', async () => {
    const { errors } = await subgraphOf(() => Promise.reject(new Error('no database'))).ask(ALL, {});
    expect(errors?.[0]?.message).toBe('no database');
    expect((await subgraphOf({ ownerId: 'zoe' }).ask(ALL, {})).errors?.[0]?.message).not.toContain('zoe');
  });
});

describe('the size of a statistic is bounded', () => {
  function* endless(make: (index: number) => Row): Iterable<Row> {
    for (let index = 0; ; index += 1) yield make(index);
  }

  it('in groups', async () => {
    const { data, errors } = await subgraphOf(endless((index) => row('alma', 1, `city ${index}`))).ask(
      ALL,
      {},
    );
    expect(data).toEqual({ x: null });
    expect(errors?.[0]?.extensions).toEqual({ code: 'STATISTIC_TOO_LARGE', coordinate: 'Query.x' });
  });

  it('in people, if they are counted', async () => {
    const { errors } = await subgraphOf(endless((index) => row(index, 1))).ask(ALL, {});
    expect(errors?.[0]?.extensions.code).toBe('STATISTIC_TOO_LARGE');
  });

  it('and otherwise nobody is remembered beyond the floor', async () => {
    const type = 'type CityStatistic @public { count: Int! }';
    const by = 'to: AGGREGATE, subject: "ownerId", floor: 3';
    function* many() {
      for (let index = 0; index < 1_100_000; index += 1) yield { ownerId: index };
    }
    expect(await statistic(many(), by, type, '{ x { count } }')).toEqual([{ count: 1_100_000 }]);
  });
});
