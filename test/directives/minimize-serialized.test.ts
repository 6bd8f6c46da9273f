import { GraphQLScalarType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { testedSubgraph } from './support.js';
import type { Asked, TestedSubgraph } from './support.js';
import { unhandledDuring } from './unhandled.js';

const SDL = `
  scalar DateTime
  scalar Day
  scalar Epoch
  scalar Money
  scalar Twice
  scalar Free
  type Query {
    whole: ID @public
    alias: ID @public @minimize(to: PSEUDONYMIZE)
    aliases: [ID!] @public @minimize(to: PSEUDONYMIZE)
    grid: [[ID!]] @public @minimize(to: PSEUDONYMIZE)
    maybe: [String] @public @minimize(to: MASK, showLength: true)
    maskedId: ID @public @minimize(to: MASK, last: 2, showLength: true)
    masked: String @public @minimize(to: MASK, last: 2, showLength: true)
    needed: String! @public @minimize(to: MASK, last: 2, showLength: true)
    cut: String @public @minimize(to: TRUNCATE, keep: 3)
    month: String @public @minimize(to: GENERALIZE, unit: MONTH)
    stepped: Float @public @minimize(to: GENERALIZE, step: 100)
    whole100: Int @public @minimize(to: GENERALIZE, step: 100)
    cell: Float @public @minimize(to: GENERALIZE, decimals: 1)
    noisy: Float @public @minimize(to: NOISE, spread: 1000)
    at: DateTime @public @minimize(to: GENERALIZE, unit: MONTH)
    ats: [DateTime!] @public @minimize(to: GENERALIZE, unit: YEAR)
    day: Day @public @minimize(to: GENERALIZE, unit: MONTH)
    epoch: Epoch @public @minimize(to: GENERALIZE, unit: YEAR)
    money: Money @public @minimize(to: GENERALIZE, step: 100)
    twice: Twice @public @minimize(to: GENERALIZE, step: 100)
    free: Free @public @minimize(to: GENERALIZE, step: 100)
    redacted: String @public @minimize(to: REDACT)
    redactedList: [String!] @public @minimize(to: REDACT)
    iban: String @public @minimize(to: MASK, last: 2, showLength: true, unless: [["whole"]])
    when: DateTime @public @minimize(to: GENERALIZE, unit: YEAR, unless: [["whole"]])
  }`;

/** Like the `bson` package's. */
class ObjectId {
  readonly #hex: string;

  constructor(hex: string) {
    this.#hex = hex;
  }
  toHexString(): string {
    return this.#hex;
  }
  toJSON(): string {
    return this.#hex;
  }
  toString(): string {
    return this.#hex;
  }
}
/** Like the `decimal.js` package's. */
class Decimal {
  readonly #digits: string;

  constructor(digits: string) {
    this.#digits = digits;
  }
  valueOf(): string {
    return this.#digits;
  }
  toString(): string {
    return this.#digits;
  }
}

const onlyDates = (write: (date: Date) => unknown) => (date: unknown) => {
  if (date instanceof Date) return write(date);
  throw new TypeError(`not a date: ${String(date)}`);
};
const scalars = {
  DateTime: new GraphQLScalarType({ name: 'DateTime', serialize: onlyDates((date) => date.toISOString()) }),
  Day: new GraphQLScalarType({
    name: 'Day',
    serialize: onlyDates((date) => date.toISOString().slice(0, 10)),
  }),
  Epoch: new GraphQLScalarType({ name: 'Epoch', serialize: onlyDates((date) => date.getTime()) }),
  Money: new GraphQLScalarType({
    name: 'Money',
    serialize: (money) => {
      if (money instanceof Decimal) return money.toString();
      throw new TypeError('not money');
    },
  }),
  // Not idempotent: it must not be given its own output again.
  Twice: new GraphQLScalarType({ name: 'Twice', serialize: (number) => Number(number) * 2 }),
};

let value: unknown;
const fields = [...SDL.matchAll(/^ {4}(\w+):/gm)].map(([, field = '']) => field);

function subgraphOf(): TestedSubgraph {
  return testedSubgraph(SDL, {
    ...scalars,
    Query: Object.fromEntries(fields.map((field) => [field, () => value])),
  });
}
async function ask(field: string, given: unknown, subgraph = subgraphOf()): Promise<Asked> {
  value = given;
  return subgraph.ask(`{ ${field} }`);
}
async function minimized(field: string, given: unknown): Promise<unknown> {
  const { data, errors } = await ask(field, given);
  expect(errors).toBeUndefined();
  return data?.[field];
}

describe('a value is serialized by its field’s type before it is minimized', () => {
  const HEX = ['507f1f77bcf86cd799439011', '507f1f77bcf86cd799439012'] as const;

  it('so identifiers that are objects have distinct pseudonyms', async () => {
    const [one, other] = [
      await minimized('alias', new ObjectId(HEX[0])),
      await minimized('alias', new ObjectId(HEX[1])),
    ];
    expect(one).not.toBe(other);
    expect(await minimized('alias', HEX[0])).toBe(one);
    expect(await minimized('alias', new Decimal('12'))).toBe(await minimized('alias', 12));
    expect(await minimized('alias', new String('x'))).toBe(await minimized('alias', 'x'));
  });

  it.each([
    ['maskedId', new ObjectId(HEX[0]), `${'*'.repeat(22)}11`],
    ['masked', new Decimal('1234.50'), '****.50'],
    ['masked', new String('abcd'), '***d'],
    ['masked', 123_456, '****56'],
    ['masked', true, '***e'],
    ['masked', { toJSON: (): string => 'from toJSON' }, '**** ****ON'],
    ['cut', new ObjectId(HEX[0]), '507'],
    ['cut', new Decimal('1234.50'), '123'],
    ['stepped', new Decimal('1234.50'), 1200],
    ['stepped', '1234.50', 1200],
    ['whole100', new Number(1234), 1200],
    ['whole100', '-1', -100],
    ['cell', new Decimal('60.17'), 60.1],
    ['month', '2026-05-17', '2026-05-01'],
    ['month', { toJSON: (): string => '2026-05-17T10:11:12Z' }, '2026-05-01T00:00:00.000Z'],
    ['money', new Decimal('1234.50'), '1200.00'],
    ['redacted', new ObjectId(HEX[0]), null],
  ] as const)('%s of %s', async (field, given, expected) => {
    expect(await minimized(field, given)).toBe(expected);
  });

  it('as graphql-js serializes it, for a caller who may see it whole', async () => {
    for (const given of [new ObjectId(HEX[0]), new Decimal('7'), 'x', 12]) {
      const whole = (await ask('whole', given)).data?.whole;
      expect(await minimized('alias', given)).toBe(await minimized('alias', whole));
    }
  });
});

describe('a custom scalar', () => {
  const DATE = new Date('2026-05-17T10:11:12.345Z');

  it.each([
    ['that takes dates only', 'at', '2026-05-01T00:00:00.000Z'],
    ['that writes days', 'day', '2026-05-01'],
    ['that writes dates as numbers', 'epoch', Date.UTC(2026, 0, 1)],
  ])('%s', async (_, field, expected) => {
    expect(await minimized(field, DATE)).toBe(expected);
    expect(await minimized(field, Promise.resolve(DATE))).toBe(expected);
  });

  it('that must not serialize its own output is called once', async () => {
    expect(await minimized('twice', 130)).toBe(200);
    expect(await minimized('free', 1234)).toBe(1200);
  });

  it('serializes whole values as before, also in lists and shared by subgraphs', async () => {
    subgraphOf();
    const subgraph = subgraphOf();
    value = DATE;
    const { data } = await subgraph.ask('{ when }', { scope: 'whole' });
    expect(data).toEqual({ when: DATE.toISOString() });
    expect((await subgraph.ask('{ when }', {})).data).toEqual({ when: '2026-01-01T00:00:00.000Z' });
    expect(await minimized('ats', new Set([DATE, Promise.resolve(DATE)]))).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:00:00.000Z',
    ]);
  });
});

describe('lists', () => {
  it.each([
    ['arrays', () => ['a', 'b']],
    ['sets', () => new Set(['a', 'b'])],
    ['the values of maps', () => new Map(Object.entries({ x: 'a', y: 'b' })).values()],
    ['iterables of any class', () => ({ [Symbol.iterator]: () => ['a', 'b'][Symbol.iterator]() })],
    [
      'async generators',
      async function* () {
        yield 'a';
        yield Promise.resolve('b');
      },
    ],
    ['sets of promises', () => new Set([Promise.resolve('a'), Promise.resolve('b')])],
    [
      'generators',
      function* () {
        yield 'a';
        yield 'b';
      },
    ],
    ['promises of promises', () => Promise.resolve([Promise.resolve('a'), 'b'])],
  ] as const)('are minimized entry by entry: %s', async (_, list) => {
    const [a, b] = [await minimized('aliases', ['a']), await minimized('aliases', ['b'])] as string[][];
    expect(a).not.toEqual(b);
    expect(await minimized('aliases', list())).toEqual([...(a ?? []), ...(b ?? [])]);
    const rows = (await minimized('grid', [list(), null, ['b']])) as (string[] | null)[];
    expect(rows.map((row) => row?.length)).toEqual([2, undefined, 1]);
    expect(rows[0]?.[1]).toBe(rows[2]?.[0]);
  });

  it('keep errors in their positions', async () => {
    const { data, errors } = await ask('grid', [['a'], Promise.reject(new Error('two')), new Error('three')]);
    expect(data?.grid).toEqual([[expect.any(String)], null, null]);
    expect(errors?.map(({ message, path }) => [message, path])).toEqual(
      expect.arrayContaining([
        ['two', ['grid', 1]],
        ['three', ['grid', 2]],
      ]),
    );
  });

  it.each([
    ['a list', (entries: readonly unknown[]) => entries],
    ['a set', (entries: readonly unknown[]) => new Set(entries)],
    [
      'a generator',
      function* (entries: readonly unknown[]) {
        yield* entries;
      },
    ],
    ['a promise', (entries: readonly unknown[]) => Promise.resolve(entries)],
  ])('have errors at the entries of %s, and values at the others', async (_, listOf) => {
    const entries = [
      'a',
      new Error('returned'),
      null,
      Promise.reject(new Error('rejected')),
      Promise.resolve(new Error('later')),
      undefined,
      Promise.resolve('b'),
    ];
    const { data, errors } = await ask('maybe', listOf(entries));
    expect(data).toEqual({ maybe: ['*', null, null, null, null, null, '*'] });
    expect(errors?.map(({ message, path }) => `${String(path?.[1])} ${message}`).sort()).toEqual([
      '1 returned',
      '3 rejected',
      '4 later',
    ]);
  });

  it('that fail midway are one error, and leave no unhandled rejection', async () => {
    const unheard = await unhandledDuring(async () => {
      const failing = function* (): Generator {
        yield Promise.reject(new Error('entry'));
        throw new Error('no more rows');
      };
      for (const list of [failing(), [failing()]])
        expect((await ask('grid', list)).errors?.map(({ message }) => message)).toEqual(['no more rows']);
      const { data, errors } = await ask('maybe', failing());
      expect(data).toEqual({ maybe: null });
      expect(errors?.map(({ message, path }) => [message, path])).toEqual([['no more rows', ['maybe']]]);
    });
    expect(unheard).toEqual([]);
  });

  it('do not reveal a single value in place of a list', async () => {
    const { data, errors } = await ask('aliases', 'a');
    expect(data).toEqual({ aliases: null });
    expect(errors?.map(({ message }) => message)).toEqual([expect.stringContaining('Expected Iterable')]);
    expect(JSON.stringify(errors)).not.toContain('"a"');
  });
});

describe('a value that cannot be serialized or read', () => {
  const HIDDEN = 'hidden-value';
  const UNREADABLE: readonly (readonly [string, unknown])[] = [
    ['alias', {}],
    ['alias', Buffer.from(HIDDEN)],
    ['alias', Symbol(HIDDEN)],
    ['alias', () => Symbol(HIDDEN)],
    ['alias', 12n],
    ['alias', [HIDDEN]],
    ['masked', { toString: () => HIDDEN }],
    [
      'masked',
      {
        valueOf: () => {
          throw new Error(HIDDEN);
        },
      },
    ],
    ['masked', Number.NaN],
    ['cut', new Map([[HIDDEN, HIDDEN]])],
    ['month', HIDDEN],
    ['month', new Date(Number.NaN)],
    ['stepped', HIDDEN],
    ['stepped', Infinity],
    ['cell', HIDDEN],
    ['whole100', 2 ** 40],
    ['whole100', 1.5],
    ['whole100', -2_147_483_648],
    ['at', HIDDEN],
    ['money', HIDDEN],
    ['free', '9'.repeat(1_001)],
    ['twice', HIDDEN],
    ['free', { [HIDDEN]: 1 }],
    ['noisy', HIDDEN],
  ];
  it.each(UNREADABLE.map(([field, given], index) => [field, index, given] as const))(
    'is null and logged, never a constant and never whole: %s (%i)',
    async (field, _, given) => {
      const subgraph = subgraphOf();
      const answer = await ask(field, given, subgraph);
      expect(answer.data).toEqual({ [field]: null });
      expect(answer.errors).toBeUndefined();
      expect(subgraph.logged).toEqual([
        {
          code: 'VALUE_NOT_MINIMIZED',
          facts: { subgraph: 'tested', coordinate: `Query.${field}`, count: 1 },
        },
      ]);
      expect(JSON.stringify([answer, subgraph.logged])).not.toContain(HIDDEN);
    },
  );

  it('at a non-null position is the null error of graphql-js', async () => {
    const { data, errors } = await ask('needed', { toString: () => HIDDEN });
    expect(data).toBeNull();
    expect(errors?.map(({ message }) => message)).toEqual([
      'Cannot return null for non-nullable field Query.needed.',
    ]);
  });

  it('is logged once a minute for each coordinate', async () => {
    const subgraph = subgraphOf();
    for (let times = 0; times < 5; times += 1) await ask('alias', {}, subgraph);
    await ask('aliases', [{}, {}, {}], subgraph);
    subgraph.nowMs += 60_000;
    await ask('alias', {}, subgraph);
    expect(subgraph.logged.map(({ facts: { coordinate, count } }) => [coordinate, count])).toEqual([
      ['Query.alias', 1],
      ['Query.aliases', 1],
      ['Query.alias', 5],
    ]);
  });

  it('is distinct from a missing value and an error', async () => {
    const subgraph = subgraphOf();
    for (const given of [null, undefined, Promise.resolve(null)])
      expect((await ask('masked', given, subgraph)).data).toEqual({ masked: null });
    const failed = await ask('masked', new Error('not found'), subgraph);
    expect(failed.errors?.[0]?.message).toBe('not found');
    expect(subgraph.logged).toEqual([]);
  });
});

describe('a strategy that does not fit the type stops the start', () => {
  it.each([
    ['E', '@minimize(to: GENERALIZE, step: 10)'],
    ['E', '@minimize(to: MASK, showLength: true)'],
    ['T', '@minimize(to: GENERALIZE, unit: DAY)'],
    ['Boolean', '@minimize(to: GENERALIZE, step: 1)'],
    ['Boolean', '@minimize(to: GENERALIZE, unit: DAY)'],
    ['String', '@minimize(to: GENERALIZE, decimals: 1)'],
    ['Int', '@minimize(to: PSEUDONYMIZE)'],
    ['Int', '@minimize(to: GENERALIZE, unit: DAY)'],
    ['E!', '@minimize(to: REDACT)'],
  ])('%s %s', (type, directive) => {
    expect(() =>
      testedSubgraph(`enum E { A } type T @public { x: Int } type Query { x: ${type} @public ${directive} }`),
    ).toThrow('Query.x: ');
  });
});
