import { protectSchema } from '@behalf/directives';
import type { CoordinateRules, ProtectedSubgraphOptions } from '@behalf/directives';
import * as fc from 'fast-check';
import {
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
  subscribe,
} from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import { testedSchema, testedSubgraph } from './support.js';
import type { Asked, TestedSubgraph, TokenOptions } from './support.js';

const SDL = `
  type Query {
    accounts(
      minBalance: Int @filters(field: "Account.balance")
      holder: String @filters(field: "Account.holder")
      either: String @filters(field: "Account.holder") @filters(field: "Account.balance")
      where: Where
      all: [[Where!]!]
      order: Order = ID
      first: Int = 10
      preset: Int = 5 @filters(field: "Account.balance")
    ): [Account!] @public
    plain(where: Plain): [Account!] @public
    node(above: Int): Node @public
  }
  type Subscription {
    opened(minBalance: Int @filters(field: "Account.balance")): Account @public
  }
  input Where {
    balance: Range @filters(field: "Account.balance")
    holder: String @filters(field: "Account.holder")
    name: String
    and: [Where!]
    inner: Inner = { holder: "preset" }
  }
  input Inner { holder: String @filters(field: "Account.holder"), level: Int = 3 @filters(field: "Account.balance") }
  input Range { gt: Int, lt: Int }
  input Plain { name: String }
  enum Order {
    ID
    BALANCE_ASC @filters(field: "Account.balance")
    HOLDER_ASC @filters(field: "Account.holder")
  }
  interface Node { friends(above: Int): [Account!] }
  type Account implements Node @public {
    id: ID!
    balance: Int @minimize(to: GENERALIZE, step: 1000, unless: [["balance"]])
    holder: String @requiresScope(scope: "holder")
    friends(above: Int @filters(field: "Account.balance")): [Account!]
  }
`;

const ACCOUNT = { id: 'a', balance: 1_234, holder: 'alma' };
const ran = vi.fn((_source: unknown, _args: unknown): object[] => [ACCOUNT]);
const resolvers: ProtectedSubgraphOptions['resolvers'] = {
  Query: { accounts: ran, plain: ran, node: () => ({ __typename: 'Account', ...ACCOUNT }) },
  Account: { friends: ran },
  Subscription: {
    opened: {
      subscribe: async function* () {
        await Promise.resolve();
        yield { opened: ACCOUNT };
      },
    },
  },
};
const subgraph = testedSubgraph(SDL, resolvers);

/** The coordinate and requirement of the denial; undefined if the resolver ran. */
async function denial(
  args: string,
  caller: TokenOptions | undefined = {},
  variables?: Record<string, unknown>,
  declared = '',
): Promise<unknown> {
  ran.mockClear();
  const asked = await subgraph.ask(`query ${declared} { accounts${args} { id } }`, caller, variables);
  const [error] = asked.errors ?? [];
  if (error === undefined) {
    expect(ran).toHaveBeenCalledOnce();
    expect(asked.data).toEqual({ accounts: [{ id: 'a' }] });
    return undefined;
  }
  expect(ran).not.toHaveBeenCalled();
  expect(asked.data).toEqual({ accounts: null });
  const { code, coordinate, requires } = error.extensions;
  expect({ code, message: error.message }).toEqual({
    code: 'UNAUTHORIZED_FIELD_OR_TYPE',
    message: 'Unauthorized field or type',
  });
  return [coordinate, requires];
}

const OF_BALANCE = { scopes: [[['balance']]], filters: ['Account.balance'] };
const OF_HOLDER = { scopes: [[['holder']]], filters: ['Account.holder'] };

describe('the use of an argument that filters by a field', () => {
  it.each([
    ['(minBalance: 5)', 'minBalance', OF_BALANCE],
    ['(minBalance: null)', 'minBalance', OF_BALANCE],
    ['(holder: "x")', 'holder', OF_HOLDER],
    ['(where: { balance: { gt: 5 } })', 'where', OF_BALANCE],
    ['(where: { balance: null })', 'where', OF_BALANCE],
    ['(where: { and: [{ and: [{ name: "x" }, { holder: "x" }] }] })', 'where', OF_HOLDER],
    ['(where: { inner: { holder: "x" } })', 'where', OF_HOLDER],
    ['(where: { inner: { level: 4 } })', 'where', OF_BALANCE],
    ['(all: { holder: "x" })', 'all', OF_HOLDER],
    ['(all: [[{ name: "x" }], [{ holder: "x" }]])', 'all', OF_HOLDER],
    ['(order: BALANCE_ASC)', 'order', OF_BALANCE],
    ['(order: HOLDER_ASC)', 'order', OF_HOLDER],
    ['(preset: 6)', 'preset', OF_BALANCE],
  ])('%s is under its rule', async (args, argument, requires) => {
    expect(await denial(args)).toEqual([`Query.accounts(${argument}:)`, requires]);
    expect(await denial(args, { scope: requires === OF_BALANCE ? 'balance' : 'holder' })).toBeUndefined();
    expect(await denial(args, undefined)).toEqual([`Query.accounts(${argument}:)`, requires]);
  });

  it.each([
    '',
    '(first: 2)',
    '(order: ID)',
    '(where: {})',
    '(where: null)',
    '(where: { name: "x", and: [] })',
    '(where: { inner: {} })',
    '(all: [])',
    '(all: [[{ name: "x" }]])',
  ])('%s filters by no protected field', async (args) => {
    expect(await denial(args)).toBeUndefined();
  });

  it.each([
    ['$v: Int', '(minBalance: $v)', { v: 5 }, OF_BALANCE],
    ['$v: Int', '(minBalance: $v)', { v: null }, OF_BALANCE],
    ['$v: Int = 5', '(minBalance: $v)', {}, OF_BALANCE],
    ['$v: Where', '(where: $v)', { v: { holder: 'x' } }, OF_HOLDER],
    ['$v: Where', '(where: $v)', { v: { holder: null } }, OF_HOLDER],
    ['$v: Where', '(where: $v)', { v: { and: [{ balance: { gt: 1 } }] } }, OF_BALANCE],
    ['$v: Where = { holder: "x" }', '(where: $v)', {}, OF_HOLDER],
    ['$v: Range', '(where: { balance: $v })', { v: {} }, OF_BALANCE],
    ['$v: [Where!]', '(where: { and: $v })', { v: [{}, { holder: 'x' }] }, OF_HOLDER],
    ['$v: Where!', '(all: [[$v]])', { v: { holder: 'x' } }, OF_HOLDER],
    ['$v: Order', '(order: $v)', { v: 'HOLDER_ASC' }, OF_HOLDER],
    ['$v: Order = HOLDER_ASC', '(order: $v)', {}, OF_HOLDER],
  ])('a variable %s of %s counts when it has a value', async (declared, args, variables, requires) => {
    const scope = requires === OF_BALANCE ? 'balance' : 'holder';
    expect(await denial(args, {}, variables, `(${declared})`)).toEqual([expect.any(String), requires]);
    expect(await denial(args, { scope }, variables, `(${declared})`)).toBeUndefined();
  });

  it.each([
    ['$v: Int', '(minBalance: $v)'],
    ['$v: Where', '(where: $v)'],
    ['$v: Range', '(where: { balance: $v })'],
    ['$v: Order', '(order: $v)'],
    ['$v: Int', '(preset: $v)'],
  ])('a variable %s of %s without a value does not', async (declared, args) => {
    expect(await denial(args, {}, {}, `(${declared})`)).toBeUndefined();
  });

  it('counts a default of the schema for nobody, in a literal and in a variable', async () => {
    const args = '(where: $v)';
    expect(await denial(args, {}, { v: {} }, '($v: Where)')).toBeUndefined();
    expect(await denial(args, {}, { v: { inner: {} } }, '($v: Where)')).toBeUndefined();
    // The same as the schema sets it.
    expect(await denial(args, {}, { v: { inner: { level: 3 } } }, '($v: Where)')).toBeUndefined();
    expect(await denial(args, {}, { v: { inner: { level: 2 } } }, '($v: Where)')).toBeDefined();
  });

  it('repeated, it is under the rules of all the fields', async () => {
    const requires = {
      scopes: [[['holder']], [['balance']]],
      filters: ['Account.holder', 'Account.balance'],
    };
    for (const scope of ['', 'holder', 'balance'])
      expect(await denial('(either: "x")', { scope })).toEqual(['Query.accounts(either:)', requires]);
    expect(await denial('(either: "x")', { scope: 'holder balance' })).toBeUndefined();
  });

  it('is refused under a consent to the least detail, whatever the scopes', async () => {
    const requires = { filters: ['Account.balance'], rule: 'minimized' };
    const caller = { scope: 'balance holder', detail: 'minimal' } as const;
    expect(await denial('(minBalance: 5)', caller)).toEqual(['Query.accounts(minBalance:)', requires]);
    expect(await denial('(holder: "x")', caller)).toBeUndefined();
  });

  it('is refused while a level of the field is in force, also where its default is the whole value', async () => {
    const levelled = testedSubgraph(
      `type Query {
        a(x: Int @filters(field: "Query.b")): Int @public
        b: Int @public @personalData(category: "money")
          @minimize(level: "exact", to: KEEP) @minimize(level: "rough", to: GENERALIZE, step: 100)
      }`,
      { Query: { a: () => 1 } },
    );
    const inForce = (level: string): TokenOptions => ({
      inForce: { levels: { money: [level] } },
    });
    for (const caller of [{}, undefined, inForce('exact')])
      expect((await levelled.ask('{ a(x: 1) }', caller)).data).toEqual({ a: 1 });
    const { data, errors } = await levelled.ask('{ a(x: 1) }', inForce('rough'));
    expect(data).toEqual({ a: null });
    expect(errors?.[0]?.extensions.requires).toEqual({ filters: ['Query.b'], rule: 'minimized' });
  });

  it('is refused for ever if no scope makes the values whole', async () => {
    const always = testedSubgraph(
      `type Query { a(x: Int @filters(field: "Query.b")): Int @public b: Int @requiresScope(scope: "b") @minimize(to: REDACT) }`,
    );
    const { errors } = await always.ask('{ a(x: 1) }', { scope: 'b' });
    expect(errors?.[0]?.extensions.requires).toEqual({
      scopes: [[['b']]],
      filters: ['Query.b'],
      rule: 'minimized',
    });
  });

  it('is on the record as a denial by @filters', async () => {
    const { facts } = await subgraph.ask('{ accounts(minBalance: 5) { id } }', {});
    expect(facts?.fields).toEqual([['Query.accounts', 'denied', 1, null, '@filters']]);
  });

  it('is reported and not refused in shadow', async () => {
    const shadow = testedSubgraph(SDL, resolvers, { enforcement: 'shadow' });
    const { data, facts } = await shadow.ask('{ accounts(minBalance: 5) { id } }', {});
    expect(data).toEqual({ accounts: [{ id: 'a' }] });
    expect(facts?.fields).toContainEqual(['Query.accounts', 'would-deny', 1, null, '@filters']);
  });

  it('is decided below the root, where an interface is selected', async () => {
    const query = '{ node { friends(above: 5) { id } } }';
    const { data, errors } = await subgraph.ask(query, {});
    expect(data).toEqual({ node: { friends: null } });
    expect(errors?.[0]?.extensions.coordinate).toBe('Account.friends(above:)');
    expect((await subgraph.ask(query, { scope: 'balance' })).errors).toBeUndefined();
  });

  it('stops a subscription before its source is opened', async () => {
    const document = parse('subscription { opened(minBalance: 5) { id } }');
    const open = async (scope: string): Promise<unknown> =>
      subscribe({
        schema: subgraph.schema,
        document,
        contextValue: await subgraph.context({ scope }),
      });
    expect(await open('')).toMatchObject({
      errors: [{ extensions: { coordinate: 'Subscription.opened(minBalance:)' } }],
    });
    const stream = (await open('balance')) as AsyncIterable<unknown>;
    for await (const event of stream) expect(event).toEqual({ data: { opened: { id: 'a' } } });
  });
});

describe('a caller who may not see a field', () => {
  it('gets the same answer whatever value they filter by', async () => {
    const rows = [5, 10, 1_500, 20_000].map((balance, id) => ({ id: String(id), balance, holder: `h${id}` }));
    const bank = testedSubgraph(SDL, {
      Query: {
        accounts: (_source: unknown, { minBalance = 0 }: { minBalance?: number | null }) =>
          rows.filter(({ balance }) => balance >= (minBalance ?? 0)),
      },
    });
    const answer = (value: number | null): Promise<Asked> =>
      bank.ask('query ($v: Int) { accounts(minBalance: $v) { id balance } }', {}, { v: value });
    const [first] = [JSON.stringify(await answer(0))];
    await fc.assert(
      fc.asyncProperty(fc.option(fc.integer({ min: -1, max: 30_000 })), async (value) => {
        expect(JSON.stringify(await answer(value))).toBe(first);
      }),
      { numRuns: 50 },
    );
  });
});

describe('in code', () => {
  const order = new GraphQLEnumType({
    name: 'Order',
    values: { ID: { value: 1 }, BALANCE: { value: 2 }, SAME: { value: 2 } },
  });
  const where = new GraphQLInputObjectType({
    name: 'Where',
    fields: {
      holder: { type: GraphQLString, extensions: { directives: { filters: { field: 'Account.balance' } } } },
    },
  });

  function schemaOf(rules: CoordinateRules): TestedSubgraph {
    const account = new GraphQLObjectType({
      name: 'Account',
      fields: { id: { type: GraphQLString }, balance: { type: GraphQLInt } },
    });
    const args = { min: { type: GraphQLInt }, order: { type: order }, where: { type: where } };
    const accounts = { type: new GraphQLList(account), args, resolve: ran };
    const query = new GraphQLObjectType({ name: 'Query', fields: { accounts } });
    return testedSchema((base) =>
      protectSchema(new GraphQLSchema({ query }), {
        ...base,
        rules: { Account: { public: {} }, 'Account.balance': { requiresScope: { scope: 'b' } }, ...rules },
      }),
    );
  }

  it.each([
    ['Query.accounts(min:)', '(min: 1)'],
    ['Order.BALANCE', '(order: BALANCE)'],
    // Resolvers cannot tell the two names apart.
    ['Order.BALANCE', '(order: SAME)'],
    ['Where.holder', '(where: { holder: "x" })'],
  ])('%s takes rules at its coordinate', async (coordinate, args) => {
    const inCode = schemaOf(
      coordinate === 'Where.holder' ? {} : { [coordinate]: { filters: [{ field: 'Account.balance' }] } },
    );
    const query = `{ accounts${args} { id } }`;
    expect((await inCode.ask(query, {})).errors?.[0]?.extensions.requires).toEqual({
      scopes: [[['b']]],
      filters: ['Account.balance'],
    });
    expect((await inCode.ask(query, { scope: 'b' })).errors).toBeUndefined();
  });

  it.each([
    ['Query.accounts(mix:)', { filters: { field: 'Account.balance' } }, /Query.accounts\(mix:\).*no such/],
    ['Query.accounts(min:)', { filters: { feld: 'Account.balance' } }, /did you mean field\?/],
    ['Query.accounts(min:)', { requiresScope: { scope: 'b' } }, /protects nothing here/],
  ])('%s with %j stops the start', (coordinate, rule, message) => {
    expect(() => schemaOf({ [coordinate]: rule } as unknown as CoordinateRules)).toThrow(message);
  });
});

describe('a mistake stops the start', () => {
  const start = (argument: string, more = ''): (() => unknown) => {
    const sdl = `type Query { a(x: Int ${argument}): Int @public t: T @public } type T @public { secret: Int @authenticated open: Int } ${more}`;
    return () => testedSubgraph(sdl);
  };

  it.each([
    [
      '@filters(field: "T.secrte")',
      "Query.a(x:): @filters names T.secrte, and this schema's T has no such field; did you mean secret?",
    ],
    ['@filters(field: "Tt.secret")', 'this schema has no such type'],
    ['@filters(field: "Customer.birthDate")', 'if need be as a @shareable one'],
    ['@filters(field: "secret")', '"field" must be the coordinate of a field'],
    ['@filters(field: "T.a(x:)")', '"field" must be the coordinate of a field'],
    ['@filters(field: "T.open")', '@filters names T.open, which everybody reads whole'],
    ['@requiresScope(scope: "a")', 'protects nothing here'],
    ['@filter(field: "T.secret")', 'did you mean filters?'],
  ])('%s', (argument, message) => {
    expect(start(argument)).toThrow(message);
  });

  it.each([
    'type B @public { b: Int @filters(field: "T.secret") }',
    'type B @public @filters(field: "T.secret") { b: Int }',
    'input B @filters(field: "T.secret") { b: Int }',
    'enum B @filters(field: "T.secret") { C }',
    'directive @mine(b: Int @filters(field: "T.secret")) on FIELD_DEFINITION',
  ])('%s', (more) => {
    expect(start('', more)).toThrow('protects nothing here');
  });
});
