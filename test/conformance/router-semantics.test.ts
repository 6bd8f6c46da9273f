import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { denials, federate, LINKS } from './support.js';
import type { Federation } from './support.js';

// The rules as GraphOS Router documents them under "Authorization directives", and what the GraphQL specification (October
// 2021) says about nulls, paths and the order of a response.

let federation: Federation;
const ran: string[] = [];
const account = {
  id: 'a1',
  balance: 5,
  level: 'GOLD',
  tags: ['x'],
  secret: { text: 's' },
  secrets: [{ text: 's' }],
};

beforeAll(async () => {
  federation = await federate([
    {
      name: 'accounts',
      sdl: `${LINKS}
        type Query {
          open: String
          signedIn: String @authenticated
          both: String @requiresScopes(scopes: [["a", "b"]])
          either: String @requiresScopes(scopes: [["a"], ["b"]])
          mixed: String @requiresScopes(scopes: [["a", "b"], ["c"]]) @authenticated
          never: String @requiresScopes(scopes: [])
          always: String @requiresScopes(scopes: [[]])
          vip: String @policy(policies: [["vip"], ["staff", "adult"]])
          account: Account
          accounts: [Account!]
          strict: [[Account!]!]!
          user: User
        }
        type Mutation {
          one: Result @requiresScope(scope: "write")
          two: Result
          three: Result!
          four: Hidden
        }
        type Result { ok: Boolean note: String @requiresScope(scope: "note") }
        type Hidden @requiresScope(scope: "hidden") { a: String b: Int }
        type Account {
          id: ID
          balance: Int! @requiresScope(scope: "balance")
          level: Level
          tags: [Tag]
          secret: Hidden2
          secrets: [Hidden2]
        }
        type Hidden2 @authenticated { text: String! }
        enum Level @requiresScope(scope: "level") { GOLD SILVER }
        scalar Tag @requiresScope(scope: "tag")
        type User @key(fields: "id") { id: ID! @requiresScope(scope: "id") name: String }`,
      resolvers: {
        Query: {
          ...Object.fromEntries(
            ['open', 'signedIn', 'both', 'either', 'mixed', 'never', 'always', 'vip'].map((name) => [
              name,
              () => name,
            ]),
          ),
          account: () => account,
          accounts: () => Array.from({ length: 30 }, () => account),
          strict: () => [[account], [account, account]],
          user: () => ({ id: 'u1', name: 'Alma' }),
        },
        Mutation: Object.fromEntries(
          ['one', 'two', 'three', 'four'].map((name) => [
            name,
            () => {
              ran.push(name);
              return { ok: true, note: 'n', a: 'a', b: 1 };
            },
          ]),
        ),
      },
    },
    {
      name: 'profiles',
      sdl: `${LINKS} type User @key(fields: "id") { id: ID! @requiresScope(scope: "id") city: String }`,
      resolvers: {
        User: { __resolveReference: ({ id }: { id: string }) => ({ id, city: `city of ${id}` }) },
      },
    },
  ]);
});
afterAll(() => federation.close());
beforeEach(() => {
  federation.reached();
  ran.length = 0;
});
const data = async (...args: Parameters<Federation['ask']>): Promise<unknown> =>
  (await federation.ask(...args)).body.data;

describe('@authenticated, @requiresScopes, @policy', () => {
  const query = '{ open signedIn both either mixed never always vip }';
  const expected: [string, Parameters<Federation['ask']>[1], string[]][] = [
    ['nobody', {}, ['open', 'always']],
    ['a token without a scope', { scopes: '' }, ['open', 'always', 'signedIn']],
    ['a', { scopes: 'a' }, ['open', 'always', 'signedIn', 'either']],
    ['a and b', { scopes: 'a b' }, ['open', 'always', 'signedIn', 'both', 'either', 'mixed']],
    ['c', { scopes: 'c' }, ['open', 'always', 'signedIn', 'mixed']],
    ['scopes that look alike', { scopes: 'A ab a,b' }, ['open', 'always', 'signedIn']],
    ['one of two policies', { policies: ['staff'] }, ['open', 'always', 'signedIn']],
    ['both policies', { policies: ['staff', 'adult'] }, ['open', 'always', 'signedIn', 'vip']],
  ];

  it.each(expected)(
    '%s: permitted fields are answered, denied ones never fetched',
    async (_who, caller, met) => {
      const answer = await federation.ask(query, caller);
      const names = ['open', 'signedIn', 'both', 'either', 'mixed', 'never', 'always', 'vip'];
      expect(answer.body.data).toEqual(
        Object.fromEntries(names.map((name) => [name, met.includes(name) ? name : null])),
      );
      expect(denials(answer).sort()).toEqual(
        names
          .filter((name) => !met.includes(name))
          .map((name) => `${name} Query.${name}`)
          .sort(),
      );
      expect(federation.reached()).toEqual(met.map((name) => `Query.${name}`).sort());
    },
  );

  it('errors name what is required, never what is held', async () => {
    const { body, text } = await federation.ask('{ both }', { scopes: 'a distinctive' });
    expect(body.errors?.[0]?.extensions).toEqual({
      code: 'UNAUTHORIZED_FIELD_OR_TYPE',
      coordinate: 'Query.both',
      requires: { scopes: [[['a', 'b']]] },
    });
    expect(text).not.toContain('distinctive');
  });

  it('a type’s rule applies to every field that returns it', async () => {
    const answer = await federation.ask('{ account { id level tags secret { text } secrets { text } } }');
    expect(answer.body.data).toEqual({
      account: { id: 'a1', level: null, tags: null, secret: null, secrets: null },
    });
    expect(federation.reached()).toEqual(['Account.id', 'Query.account']);
    expect(await data('{ account { level tags secrets { text } } }', { scopes: 'level tag' })).toEqual({
      account: { level: 'GOLD', tags: ['x'], secrets: [{ text: 's' }] },
    });
  });
});

describe('a denied @key', () => {
  it('still joins the subgraphs, and is never returned', async () => {
    expect(await data('{ user { name city } }', { scopes: '' })).toEqual({
      user: { name: 'Alma', city: 'city of u1' },
    });
    const answer = await federation.ask('{ user { id name city } }', { scopes: '' });
    expect(answer.body.data).toEqual({ user: null });
    expect(denials(answer)).toEqual(['user.id User.id']);
    expect(answer.text).not.toContain('u1');
  });
});

describe('GraphQL section 6.4.4: nulls and errors', () => {
  it('a null propagates to the nearest nullable position of each list entry', async () => {
    expect(await data('{ account { id balance } open }')).toEqual({ account: null, open: 'open' });
    expect(await data('{ accounts { id balance } open }')).toEqual({ accounts: null, open: 'open' });
    expect(await data('{ strict { id balance } open }')).toBeNull();
    expect(
      await data('{ account { ...B } } fragment B on Account { balance }', { scopes: 'balance' }),
    ).toEqual({ account: { balance: 5 } });
  });

  it('section 7.1.2: paths use response keys and indices, in bounded number', async () => {
    const answer = await federation.ask('{ all: accounts { id lvl: level } }');
    expect((answer.body.data?.all as unknown[]).length).toBe(30);
    const errors = answer.body.errors ?? [];
    expect(errors.map(({ path }) => path?.join('.')).slice(0, 20)).toEqual(
      Array.from({ length: 20 }, (_, index) => `all.${index}.lvl`),
    );
    expect(errors).toHaveLength(21);
    expect(errors[20]).toMatchObject({ extensions: { coordinate: 'Account.level', omittedPaths: 10 } });
    expect(errors[20]?.path).toBeUndefined();
  });

  it('a denied parent hides its children’s errors; skipped fields have none', async () => {
    const query = `query ($x: Boolean!, $y: Boolean = false) {
      account { id secret { text } level @include(if: $x) tags @skip(if: $x) ... @include(if: $y) { balance } } }`;
    const left = await federation.ask(query, { variables: { x: false } });
    expect(denials(left)).toEqual(['account.secret Account.secret', 'account.tags Account.tags']);
    expect(left.body.data).toEqual({ account: { id: 'a1', secret: null, tags: null } });
    const right = await federation.ask(query, { variables: { x: true } });
    expect(denials(right)).toEqual(['account.secret Account.secret', 'account.level Account.level']);
  });

  it('section 7.2.2: response keys follow the order of the client’s document', async () => {
    const { text } = await federation.ask(
      '{ z: never open y: both a: account { s: secret { text } id l: level } always b: vip }',
    );
    const { data: ordered } = JSON.parse(text) as { data: unknown };
    expect(JSON.stringify(ordered)).toBe(
      '{"z":null,"open":"open","y":null,"a":{"s":null,"id":"a1","l":null},"always":"always","b":null}',
    );
  });
});

describe('mutations', () => {
  it('run in order, without denied ones or denied payloads', async () => {
    const query = 'mutation { d: four { a b } c: two { ok note } b: one { ok } a: three { ok } }';
    const answer = await federation.ask(query, { scopes: '' });
    expect(ran).toEqual(['two', 'three']);
    expect(JSON.stringify(answer.body.data)).toBe(
      '{"d":null,"c":{"ok":true,"note":null},"b":null,"a":{"ok":true}}',
    );
    ran.length = 0;
    await federation.ask('mutation { two { note } three { ok } }', { scopes: '' });
    expect(ran).toEqual(['three']);
    ran.length = 0;
    // A null that propagates afterwards does not undo what ran.
    await federation.ask('mutation { three { note } two { ok } }', { scopes: '' });
    expect(ran).toEqual(['two']);
    ran.length = 0;
    await federation.ask(query, { scopes: 'write hidden note' });
    expect(ran).toEqual(['four', 'two', 'one', 'three']);
  });
});

// Found by test/properties/federation.test.ts: the denied selection took the mutation's place with it.
describe('a mutation selected several times under one response key', () => {
  it.each([
    ['mutation { two { note } three { ok } two { ok } }', ['two', 'three']],
    [
      'mutation { ... { two { note } } three { ok } ...T } fragment T on Mutation { two { ok } }',
      ['two', 'three'],
    ],
    ['mutation { x: two { note } three { ok } two { ok } }', ['three', 'two']],
    ['mutation { two { note } three { ok } two @skip(if: true) { ok } }', ['three']],
    ['mutation { two { note } three { ok } ... @include(if: false) { two { ok } } }', ['three']],
    ['mutation { two @skip(if: true) { note } three { ok } two { ok } }', ['three', 'two']],
    ['mutation { two { note } three { ok } two { note } }', ['three']],
  ])('runs once, at the first selected place, if anything of it is readable: %s', async (query, order) => {
    await federation.ask(query, { scopes: '' });
    expect(ran).toEqual(order);
  });
});

describe('a decision', () => {
  it('never depends on other callers, earlier or concurrent', async () => {
    const query = 'query A { account { id level balance } both } query B { account { id tags } either }';
    const callers = [
      { operationName: 'A' },
      { operationName: 'A', scopes: '' },
      { operationName: 'A', scopes: 'level balance' },
      { operationName: 'B', scopes: 'a' },
      { operationName: 'B', scopes: 'tag b' },
      { operationName: 'A', scopes: 'a b level' },
    ];
    const alone: string[] = [];
    for (const caller of callers) alone.push((await federation.ask(query, caller)).text);
    expect(new Set(alone).size).toBe(callers.length - 1);
    for (let round = 0; round < 5; round += 1) {
      const order = callers.map((_, index) => (index * 5 + round) % callers.length);
      const together = await Promise.all(order.map((index) => federation.ask(query, callers[index])));
      together.forEach(({ text }, place) => expect(text).toBe(alone[order[place] ?? -1]));
    }
  });

  it('is the same whatever the white space, comments and operation name', async () => {
    for (const query of [
      '{both open}',
      '{ both # a\n open }',
      'query both { both, open, }',
      'query open { both open: open @skip(if: false) }',
    ]) {
      const answer = await federation.ask(query, { scopes: 'a' });
      expect(answer.body.data).toEqual({ both: null, open: 'open' });
    }
    expect(federation.reached()).toEqual(['Query.open']);
  });

  it('covers the federation fields: _entities and _service are not available', async () => {
    for (const query of [
      '{ _service { sdl } }',
      '{ _entities(representations: [{ __typename: "User", id: "u1" }]) { ... on User { id } } }',
      '{ _Entity: _entities { __typename } }',
    ]) {
      expect((await federation.ask(query, { scopes: 'id' })).status).toBe(400);
    }
    expect(federation.reached()).toEqual([]);
  });
});
