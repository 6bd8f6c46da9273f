import { afterAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { denials, federate, LINKS } from './support.js';
import type { Federation } from './support.js';

// Federation's directives together with rules, where a rule could get lost as a field moves, is provided, or stands for others.

const closers: (() => Promise<void>)[] = [];
const start = async (...args: Parameters<typeof federate>): Promise<Federation> => {
  const federation = await federate(...args);
  closers.push(() => federation.close());
  return federation;
};
afterAll(async () => {
  for (const close of closers) await close();
});

const MORE_LINKS = LINKS.replace('"@key"', '"@key" "@interfaceObject" "@tag"');

describe('entity interfaces and @interfaceObject', () => {
  const book = { __typename: 'Book', id: 'b', title: 'Faust', pages: 9 };
  const film = { __typename: 'Film', id: 'f', title: 'M' };
  const media = {
    name: 'media',
    sdl: `${MORE_LINKS}
      type Query { media: [Media] book: Book }
      interface Media @key(fields: "id") { id: ID! title: String }
      type Book implements Media @key(fields: "id") { id: ID! title: String @requiresScope(scope: "book") pages: Int }
      type Film implements Media @key(fields: "id") { id: ID! title: String }`,
    resolvers: {
      Query: { media: () => [book, film], book: () => book },
      Media: { __resolveReference: ({ id }: { id: string }) => (id === 'b' ? book : film) },
      Book: { __resolveReference: () => book },
      Film: { __resolveReference: () => film },
    },
  };
  const reviews = {
    name: 'reviews',
    sdl: `${MORE_LINKS}
      type Query { top: Media }
      type Media @key(fields: "id") @interfaceObject {
        id: ID!
        stars: Int @requiresScope(scope: "stars")
        votes: Int
      }`,
    resolvers: {
      Query: { top: () => ({ id: 'b', stars: 5, votes: 7 }) },
      Media: { __resolveReference: ({ id }: { id: string }) => ({ id, stars: 5, votes: 7 }) },
    },
  };

  it.each([
    '{ media { id stars votes } }',
    '{ media { id ... on Book { stars votes } ... on Film { stars votes } } }',
    '{ media { ...M } } fragment M on Media { id ... on Media { stars votes } }',
  ])('an interface object’s rule holds on interface and implementers: %s', async (query) => {
    const { ask, reached } = await start([media, reviews]);
    const answer = await ask(query, { scopes: '' });
    expect(answer.body.data).toEqual({
      media: [
        { id: 'b', stars: null, votes: 7 },
        { id: 'f', stars: null, votes: 7 },
      ],
    });
    expect(answer.body.errors).toHaveLength(2);
    expect(reached().filter((each) => each.endsWith('.stars'))).toEqual([]);
    const granted = await ask(query, { scopes: 'stars' });
    expect(granted.body.data?.media).toEqual([
      { id: 'b', stars: 5, votes: 7 },
      { id: 'f', stars: 5, votes: 7 },
    ]);
  });

  it('an implementer’s rule holds for objects of subgraphs without it', async () => {
    const { ask, reached } = await start([media, reviews]);
    for (const query of [
      '{ top { id title } }',
      '{ top { id ... on Book { title } } }',
      '{ top { id votes ...T } } fragment T on Media { title }',
    ]) {
      const { body, text } = await ask(query, { scopes: '' });
      expect(body.data?.top).toMatchObject({ id: 'b', title: null });
      expect(text).not.toContain('Faust');
      expect(reached().filter((each) => each.endsWith('.title'))).toEqual([]);
      expect((await ask(query, { scopes: 'book' })).text).toContain('Faust');
      reached();
    }
  });
});

describe('@override', () => {
  const before = (rule: string, more = ''): Parameters<typeof federate>[0][number] => ({
    name: 'before',
    sdl: `${LINKS} type Query { user: User } type User @key(fields: "id") { id: ID! email: String ${rule} ${more} }`,
    resolvers: {
      Query: { user: () => ({ id: '1', email: 'old@example.com' }) },
      User: { __resolveReference: ({ id }: { id: string }) => ({ id, email: 'old@example.com' }) },
    },
  });
  const after = (rule: string, label = ''): Parameters<typeof federate>[0][number] => ({
    name: 'after',
    sdl: `${LINKS} type User @key(fields: "id") { id: ID! email: String @override(from: "before"${label}) ${rule} }`,
    resolvers: {
      User: { __resolveReference: ({ id }: { id: string }) => ({ id, email: 'new@example.com' }) },
    },
  });

  it.each([
    ['stated in both', '@requiresScope(scope: "email")', '@requiresScope(scope: "email")'],
    ['stated only where the field came from', '@requiresScope(scope: "email")', ''],
    ['stated only where the field went', '', '@requiresScope(scope: "email")'],
  ])('a rule of the overridden field is kept: %s', async (_where, old, taken) => {
    const { ask, reached } = await start([before(old), after(taken)]);
    const answer = await ask('{ user { id email } }', { scopes: '' });
    expect(answer.body.data).toEqual({ user: { id: '1', email: null } });
    expect(denials(answer)).toEqual(['user.email User.email']);
    expect(reached()).not.toContain('User.email');
    expect((await ask('{ user { email } }', { scopes: 'email' })).body.data).toEqual({
      user: { email: 'new@example.com' },
    });
  });

  it.each([0, 100])('a rule is kept during a migration label of %i percent', async (percent) => {
    const rule = '@requiresScope(scope: "email")';
    const { ask, reached } = await start([before(rule), after(rule, `, label: "percent(${percent})"`)]);
    const answer = await ask('{ user { id email } }', { scopes: '' });
    expect(answer.body.data).toEqual({ user: { id: '1', email: null } });
    expect(reached()).not.toContain('User.email');
    expect((await ask('{ user { email } }', { scopes: 'email' })).text).toContain('@example.com');
  });
});

describe('@provides', () => {
  it('a provided field keeps its own rule', async () => {
    const { ask, reached } = await start([
      {
        name: 'orders',
        sdl: `${LINKS}
          type Query { order: Order }
          type Order { buyer: User @provides(fields: "phone") }
          type User @key(fields: "id") { id: ID! phone: String @external }`,
        resolvers: { Query: { order: () => ({ buyer: { id: '1', phone: '0664' } }) } },
      },
      {
        name: 'users',
        sdl: `${LINKS} type User @key(fields: "id") { id: ID! phone: String @shareable @requiresScope(scope: "phone") name: String }`,
        resolvers: {
          User: { __resolveReference: ({ id }: { id: string }) => ({ id, phone: '0664', name: 'Alma' }) },
        },
      },
    ]);
    const answer = await ask('{ order { buyer { phone name } } }', { scopes: '' });
    expect(answer.body.data).toEqual({ order: { buyer: { phone: null, name: 'Alma' } } });
    expect(reached()).not.toContain('User.phone');
    expect((await ask('{ order { buyer { phone } } }', { scopes: 'phone' })).body.data).toEqual({
      order: { buyer: { phone: '0664' } },
    });
    expect(reached()).toEqual(['Order.buyer', 'Query.order', 'User.phone']);
  });
});

describe('@requires through three subgraphs', () => {
  const parts = (middle: string, last: string): Parameters<typeof federate>[0] => [
    {
      name: 'stock',
      sdl: `${LINKS} type Query { item: Item } type Item @key(fields: "id") { id: ID! cost: Int @requiresScope(scope: "cost") }`,
      resolvers: {
        Query: { item: () => ({ id: '1' }) },
        Item: { __resolveReference: ({ id }: { id: string }) => ({ id, cost: 10 }), cost: () => 10 },
      },
    },
    {
      name: 'pricing',
      sdl: `${LINKS} type Item @key(fields: "id") { id: ID! cost: Int @external price: Int @requires(fields: "cost") ${middle} }`,
      resolvers: { Item: { price: ({ cost }: { cost: number }) => cost * 2 } },
    },
    {
      name: 'offers',
      sdl: `${LINKS} type Item @key(fields: "id") { id: ID! price: Int @external offer: String @requires(fields: "price") ${last} open: String }`,
      resolvers: { Item: { offer: ({ price }: { price: number }) => `only ${price}`, open: () => 'open' } },
    },
  ];

  it('requires the first field’s rule at the last, or does not compose', () => {
    const rule = '@requiresScope(scope: "cost")';
    const compose = (middle: string, last: string): string =>
      composeSupergraph(parts(middle, last).map(({ name, sdl }) => ({ name, url: `http://${name}`, sdl })));
    expect(() => compose('', '')).toThrow(/do not compose/);
    expect(() => compose(rule, '')).toThrow(/do not compose/);
    expect(() => compose('', rule)).toThrow(/do not compose/);
    expect(compose(rule, rule)).toContain('offer');
  });

  it('fetches a field’s inputs only for callers who may read it', async () => {
    const rule = '@requiresScope(scope: "cost")';
    const { ask, reached } = await start(parts(rule, rule));
    const answer = await ask('{ item { offer open } }', { scopes: '' });
    expect(answer.body.data).toEqual({ item: { offer: null, open: 'open' } });
    expect(reached()).not.toEqual(expect.arrayContaining([expect.stringMatching(/cost|price|offer/)]));
    expect((await ask('{ item { offer } }', { scopes: 'cost' })).body.data).toEqual({
      item: { offer: 'only 20' },
    });
    expect(reached()).toEqual(expect.arrayContaining(['Item.cost', 'Item.price', 'Item.offer']));
  });
});

describe('@inaccessible', () => {
  it('hides an inaccessible field, and keeps other fields’ rules', async () => {
    const { ask, reached } = await start([
      {
        name: 'one',
        sdl: `${LINKS}
          type Query { user: User }
          type User @key(fields: "id") { id: ID! secret: String @inaccessible @requiresScope(scope: "s") name: String level: Level }
          enum Level @requiresScope(scope: "level") { A B @inaccessible }`,
        resolvers: { Query: { user: () => ({ id: '1', secret: 'x', name: 'Alma', level: 'A' }) } },
      },
    ]);
    for (const scopes of ['', 's']) {
      const answer = await ask('{ user { secret } }', { scopes });
      expect(answer.status).toBe(400);
      expect(answer.text).not.toContain('"x"');
    }
    expect(reached()).toEqual([]);
    expect((await ask('{ user { name level } }', { scopes: 's' })).body.data).toEqual({
      user: { name: 'Alma', level: null },
    });
    expect(reached()).toEqual(['Query.user', 'User.name']);
  });
});

describe('a value type that only one subgraph protects', () => {
  it('is protected from every subgraph', async () => {
    const money = (rules: readonly [string, string]): string =>
      `type Money @shareable ${rules[0]} { amount: Int ${rules[1]} currency: String }`;
    for (const rules of [
      ['@requiresScope(scope: "money")', ''],
      ['', '@requiresScope(scope: "money")'],
    ] as const) {
      const { ask, reached } = await start([
        {
          name: 'one',
          sdl: `${LINKS} type Query { balance: Money } ${money(rules)}`,
          resolvers: { Query: { balance: () => ({ amount: 5, currency: 'EUR' }) } },
        },
        {
          name: 'two',
          sdl: `${LINKS} type Query { debts: [[Money!]!] } ${money(['', ''])}`,
          resolvers: { Query: { debts: () => [[{ amount: 6, currency: 'EUR' }]] } },
        },
      ]);
      const { text } = await ask('{ balance { amount } debts { amount } }', { scopes: '' });
      expect(text).not.toMatch(/"amount":\d/);
      expect(reached()).toEqual([]);
      expect((await ask('{ balance { amount } debts { amount } }', { scopes: 'money' })).body.data).toEqual({
        balance: { amount: 5 },
        debts: [[{ amount: 6 }]],
      });
    }
  });
});

describe('rules of enums and scalars', () => {
  it('hold for fields that return the type, not for arguments', async () => {
    const seen: unknown[] = [];
    const { ask } = await start([
      {
        name: 'one',
        sdl: `${LINKS}
          type Query { find(level: Level, tags: [Tag!]): String levels: [[Level!]!]! @public tags(of: Level): [Tag] }
          enum Level @requiresScope(scope: "level") { A B }
          scalar Tag @requiresScope(scope: "tag")`,
        resolvers: {
          Query: {
            find: (_: unknown, args: unknown) => {
              seen.push(args);
              return 'found';
            },
            levels: () => [['A']],
            tags: () => ['t'],
          },
        },
      },
    ]);
    const query = 'query ($l: Level, $t: [Tag!]) { find(level: $l, tags: $t) tags(of: $l) }';
    const answer = await ask(query, { scopes: '', variables: { l: 'B', t: ['x'] } });
    expect(answer.body.data).toEqual({ find: 'found', tags: null });
    expect(seen).toEqual([{ level: 'B', tags: ['x'] }]);
    expect(denials(answer)).toEqual(['tags Query.tags']);
    // The type's rule applies despite @public on the field.
    expect((await ask('{ levels find }', { scopes: '' })).body.data).toBeNull();
    expect((await ask('{ levels }', { scopes: 'level' })).body.data).toEqual({ levels: [['A']] });
  });
});
