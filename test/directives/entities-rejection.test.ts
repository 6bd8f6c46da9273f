import { buildProtectedSubgraph } from '@behalf/directives';
import { graphql } from 'graphql';
import { describe, expect, it } from 'vitest';
import { errorCodes, testedSubgraph } from './support.js';
import type { Asked, TokenOptions } from './support.js';
import { unhandledDuring } from './unhandled.js';

const typeDefs = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@public"])

  type Query {
    ok: Boolean @public
  }

  type Thing @key(fields: "id") @public {
    id: ID!
  }
`;

it('an unknown type beside a failing reference leaves no unhandled rejection', async () => {
  const unheard = await unhandledDuring(async () => {
    const schema = buildProtectedSubgraph({
      name: 'things',
      typeDefs,
      resolvers: { Thing: { __resolveReference: () => Promise.reject(new Error('no database')) } },
      gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
    });
    const ask = (...of: string[]): ReturnType<typeof graphql> =>
      graphql({
        schema,
        source: 'query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }',
        variableValues: { of: of.map((__typename) => ({ __typename, id: '1' })) },
      });
    expect((await ask('Thing', 'Nothing')).errors).toHaveLength(2);
    // By itself, the failure is an error at its position, as before.
    const { data, errors } = await ask('Thing');
    expect(data).toEqual({ _entities: [null] });
    expect(errors?.[0]?.path).toEqual(['_entities', 0]);
    expect(errors?.[0]?.originalError?.message).toBe('no database');
  });
  expect(unheard).toEqual([]);
});

describe('a reference that fails fails alone', () => {
  const reference = ({ id }: { id: string }): unknown => {
    switch (id) {
      case 'thrown':
        throw new Error(id);
      case 'text':
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what is tested
        throw 'hidden-value';
      case 'rejected':
        return Promise.reject(new Error(id));
      case 'returned':
        return new Error(id);
      case 'later':
        return Promise.resolve(new Error(id));
      case 'null':
        return null;
      default:
        return { __typename: 'Thing', id, owner: 'alma' };
    }
  };
  const ids = ['1', 'thrown', 'rejected', '2', 'returned', 'later', 'null', 'text', '3'];
  const resolvers = {
    Thing: { __resolveReference: reference },
    Node: { __resolveReference: reference },
  };

  it.each([
    ['of an object type', 'Thing', 'type Thing @key(fields: "id") @public { id: ID! }'],
    [
      'of an interface',
      'Node',
      'interface Node @key(fields: "id") { id: ID! } type Thing implements Node @key(fields: "id") @public { id: ID! }',
    ],
    ['with a rule', 'Thing', 'type Thing @key(fields: "id") @authenticated { id: ID! }'],
    ['of an owned row', 'Thing', 'type Thing @key(fields: "id") @subject(field: "owner") { id: ID! }'],
  ])('%s', async (_, typename, sdl) => {
    const subgraph = testedSubgraph(`type Query { ok: Boolean @public } ${sdl}`, resolvers);
    const unheard = await unhandledDuring(async () => {
      const { data, errors } = await subgraph.ask(
        `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Thing { id } } }`,
        {},
        { of: ids.map((id) => ({ __typename: typename, id })) },
      );
      const [one, two, three] = [{ id: '1' }, { id: '2' }, { id: '3' }];
      expect(data).toEqual({ _entities: [one, null, null, two, null, null, null, null, three] });
      expect(errors?.map(({ path, message }) => `${String(path?.[1])} ${message}`).sort()).toEqual([
        '1 thrown',
        '2 rejected',
        '4 returned',
        '5 later',
        '7 A reference could not be resolved',
      ]);
    });
    expect(unheard).toEqual([]);
  });
});

describe('a reference', () => {
  const SDL = `
    type Query { ok: Boolean @public }
    type Thing @key(fields: "id") @requiresScope(scope: "things") { id: ID! name: String }
    type Open @key(fields: "id") @public { id: ID! }`;

  function ask(
    resolvers: Parameters<typeof testedSubgraph>[1],
    caller: TokenOptions | undefined,
    typename = 'Thing',
  ): Promise<Asked> {
    return testedSubgraph(SDL, resolvers).ask(
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Thing { id } ... on Open { id } } }',
      caller,
      { of: [{ __typename: typename, id: '1' }] },
    );
  }

  it('without a function of its own is the row, once the rule of its type is met', async () => {
    expect((await ask({}, { scope: 'things' })).data).toEqual({ _entities: [{ id: '1' }] });
    for (const caller of [undefined, { scope: 'other' }]) {
      const refused = await ask({}, caller);
      expect(refused.data).toEqual({ _entities: [null] });
      expect(errorCodes(refused)).toEqual(['_entities.0 UNAUTHORIZED_FIELD_OR_TYPE']);
      expect(refused.errors?.[0]?.extensions).toEqual({
        code: 'UNAUTHORIZED_FIELD_OR_TYPE',
        coordinate: 'Thing',
        requires: { scopes: [[['things']]] },
      });
    }
  });

  it('that is rejected with what is no error is an error that does not quote it', async () => {
    const resolvers = { Open: { __resolveReference: () => Promise.reject(secret) } };
    const secret = 'hidden-value' as unknown as Error;
    const { data, errors } = await ask(resolvers, undefined, 'Open');
    expect(data).toEqual({ _entities: [null] });
    expect(errors?.map(({ message }) => message)).toEqual(['A reference could not be resolved']);
    expect(errors?.[0]?.originalError?.cause).toBe(secret);
  });

  it('of an owned type needs a function where the type is an entity, and only there', () => {
    const owned = (key: string): string => `type Note ${key} @subject(field: "owner") { id: ID! }`;
    expect(() => testedSubgraph(SDL + owned(''))).not.toThrow();
    expect(() => testedSubgraph(SDL + owned('@key(fields: "id")'))).toThrow('needs a __resolveReference');
  });

  it('is handed to its function with the context value', async () => {
    const { data } = await ask(
      {
        Thing: {
          __resolveReference: ({ id }: { id: string }, context: { delegation: { subject: string } }) => ({
            id: `${id} of ${context.delegation.subject}`,
          }),
        },
      },
      { scope: 'things', subject: 'alma' },
    );
    expect(data).toEqual({ _entities: [{ id: '1 of alma' }] });
  });
});

describe('a reference to no entity is an error at its index', () => {
  const SDL = `
    type Query { ok: Boolean @public }
    enum Color { RED }
    scalar Time
    input Filter { id: ID }
    interface Shape { id: ID! }
    interface Node @key(fields: "id") { id: ID! }
    type Thing implements Node @key(fields: "id") @public { id: ID! color(of: Filter): Color at: Time @public shape: Shape @public }
    type Plain @public { id: ID! }`;
  const good = { __typename: 'Thing', id: 'good' };
  const resolvers = {
    Thing: { __resolveReference: (reference: object) => Promise.resolve(reference) },
    Node: { __resolveReference: ({ id }: { id: string }) => ({ __typename: id, id }) },
  };
  const UNKNOWN = 'ENTITY_TYPE_UNKNOWN';

  it.each<[string, unknown, string | undefined]>([
    ['an unknown type', { __typename: 'Nope', id: '1' }, UNKNOWN],
    ['no type', { id: '1' }, UNKNOWN],
    ['a number as type', { __typename: 1, id: '1' }, UNKNOWN],
    ['null as type', { __typename: null, id: '1' }, UNKNOWN],
    ['a list as type', { __typename: ['Thing'], id: '1' }, UNKNOWN],
    ['an inherited member as type', { __typename: 'constructor', id: '1' }, UNKNOWN],
    ['text', 'Thing', UNKNOWN],
    ['a number', 5, UNKNOWN],
    ['an empty object', {}, UNKNOWN],
    ['a list', [], UNKNOWN],
    ['an enum', { __typename: 'Color' }, UNKNOWN],
    ['a scalar', { __typename: 'Time' }, UNKNOWN],
    ['an input type', { __typename: 'Filter', id: '1' }, UNKNOWN],
    ['the union of entities', { __typename: '_Entity', id: '1' }, UNKNOWN],
    ['an interface that is no entity', { __typename: 'Shape', id: '1' }, undefined],
    ['an interface’s row of another type', { __typename: 'Node', id: 'Plain' }, undefined],
    ['an interface’s row of no type', { __typename: 'Node', id: 'Nope' }, undefined],
    ['an object type that is no entity', { __typename: 'Plain', id: '1' }, undefined],
    ['the query type', { __typename: 'Query' }, undefined],
  ])('%s', async (_case, bad, code) => {
    const subgraph = testedSubgraph(SDL, resolvers);
    const ask = (...of: unknown[]): Promise<Asked> =>
      subgraph.ask(
        'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Thing { id } } }',
        {},
        { of },
      );
    const unheard = await unhandledDuring(async () => {
      const { data, errors } = await ask(good, bad, { ...good, id: 'next' }, bad);
      expect(data).toEqual({ _entities: [{ id: 'good' }, null, { id: 'next' }, null] });
      expect(errors?.map(({ path }) => path)).toEqual([
        ['_entities', 1],
        ['_entities', 3],
      ]);
      for (const error of errors ?? []) expect(error.extensions['code']).toBe(code);
      expect((await ask(bad)).data).toEqual({ _entities: [null] });
    });
    expect(unheard).toEqual([]);
  });

  it('beside references to an interface and to object types', async () => {
    const { data } = await testedSubgraph(SDL, resolvers).ask(
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Thing { id } } }',
      {},
      { of: [{ __typename: 'Node', id: 'Thing' }, {}, good, { __typename: 'Node', id: 'Thing' }] },
    );
    expect(data).toEqual({ _entities: [{ id: 'Thing' }, null, { id: 'good' }, { id: 'Thing' }] });
  });
});
