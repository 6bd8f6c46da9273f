import { createHmac } from 'node:crypto';
import Module from 'node:module';
import {
  buildProtectedSubgraph,
  finishProtectedRequest,
  protectedContext,
  protectedSubgraphPlugin,
  protectSchema,
} from '@behalf/directives';
import type { ProtectionOptions } from '@behalf/directives';
import { buildSchema, extendSchema, graphql, parse } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LINKS, testedSubgraph } from './support.js';

const OPTIONS: ProtectionOptions = {
  name: 'tested',
  gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
};
const plain = (): GraphQLSchema => buildSchema('type Query { ok: Int }');
const error = (code: string, message: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as string });

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a mistake in the use of the library is an error with a code', () => {
  it('a schema that nothing protected', async () => {
    const expected = error('NOT_PROTECTED', 'neither buildProtectedSubgraph nor protectSchema');
    await expect(protectedContext(plain(), {})).rejects.toEqual(expected);
    expect(() => finishProtectedRequest(plain(), {})).toThrow(expected);
  });

  it.each([{}, null, undefined, 'type Query { ok: Int }', plain()])(
    'a plugin for what is no protected schema: %s',
    (given) => {
      expect(() => protectedSubgraphPlugin(given as GraphQLSchema)).toThrow(
        error('NOT_PROTECTED', 'neither buildProtectedSubgraph nor protectSchema'),
      );
    },
  );

  it('a schema that is protected twice', () => {
    const schema = plain();
    protectSchema(schema, { ...OPTIONS, coverage: 'open' });
    expect(() => protectSchema(schema, OPTIONS)).toThrow(
      error('ALREADY_PROTECTED', 'the schema is protected; do it once, at the end'),
    );
  });

  it.each([{}, null, 'type Query { ok: Int }'])('a schema that is none: %j', (given) => {
    expect(() => protectSchema(given as GraphQLSchema, OPTIONS)).toThrow(
      error('UNREADABLE_SCHEMA', 'not a GraphQLSchema of the graphql package'),
    );
  });

  it('headers that are none', async () => {
    const { schema } = testedSubgraph('type Query { ok: Int @public }');
    await expect(protectedContext(schema, 'txn-token: x' as never)).rejects.toEqual(
      error(
        'UNREADABLE_HEADERS',
        'this is not an object of headers; pass the headers as Node or the Fetch standard have them',
      ),
    );
    await expect(protectedContext(schema, { 'txn-token': 1 } as never)).rejects.toEqual(
      error('UNREADABLE_HEADERS', 'the header "txn-token" is not a string'),
    );
  });

  it('an entity with @subject that no function looks up', () => {
    const sdl =
      'type Query { ok: Int @public } type Note @key(fields: "id") @subject(field: "owner") { id: ID }';
    expect(() => testedSubgraph(sdl)).toThrow(
      error('INVALID_RULE', 'Note: an entity with @subject needs a __resolveReference'),
    );
  });
});

describe('buildProtectedSubgraph', () => {
  const SDL = 'type Query { a: Int @public } extend type Query { b: Int } type Row @public { x: Int }';
  const PARTS = [
    LINKS,
    parse('type Query { a: Int @public } type Row @public { x: Int }'),
    'extend type Query { b: Int }',
  ] as const;

  it.each([
    ['a text', LINKS + SDL],
    ['a document', parse(LINKS + SDL)],
    ['several of both', PARTS],
  ])('takes type definitions as %s, and resolvers that are left out', async (_, typeDefs) => {
    const resolvers = { Query: { a: () => 1, b: () => 2 }, Row: undefined };
    const schema = buildProtectedSubgraph({ ...OPTIONS, typeDefs, resolvers });
    const { data } = await graphql({ schema, source: '{ a b }' });
    expect(data).toEqual({ a: 1, b: null });
  });
});

describe('buildProtectedSubgraph without @apollo/subgraph', () => {
  it('names the package to install', () => {
    // Node's own function behind `require.resolve`.
    const resolution = Module as unknown as { _resolveFilename(request: string): string };
    vi.spyOn(resolution, '_resolveFilename').mockImplementation((request) => {
      throw new Error(`Cannot find module '${request}'`);
    });
    expect(() => testedSubgraph('type Query { ok: Int @public }')).toThrow(
      error(
        'MISSING_APOLLO_SUBGRAPH',
        'buildProtectedSubgraph needs the package @apollo/subgraph: npm install @apollo/subgraph@2.15',
      ),
    );
  });
});

describe('a protected subgraph', () => {
  it('takes no rule of a schema that composition would count as Federation 1', () => {
    const typeDefs = `extend schema @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@public"])
      type Query { ok: Int @public }`;
    expect(() => buildProtectedSubgraph({ ...OPTIONS, typeDefs, resolvers: {} })).toThrow(
      error('FEDERATION_NOT_LINKED', 'no @link to https://specs.apollo.dev/federation'),
    );
  });

  it('leaves fields without a rule open where its coverage says so', async () => {
    const sdl = 'type Query { ok: Int }';
    const resolvers = { Query: { ok: () => 1 } };
    expect((await testedSubgraph(sdl, resolvers).ask('{ ok }')).data).toEqual({ ok: null });
    expect((await testedSubgraph(sdl, resolvers, { coverage: 'open' }).ask('{ ok }')).data).toEqual({
      ok: 1,
    });
  });

  it('refuses what a transformation adds behind the rules', async () => {
    const added = 'extend type Query { more: Int row: Row } type Row { x: Int }';
    const subgraph = testedSubgraph(
      'type Query { ok: Int @public }',
      { Query: { ok: () => 1 } },
      { coverage: 'open', transform: (schema) => extendSchema(schema, parse(added)) },
    );
    const rootValue = { more: 2, row: { x: 3 } };
    const { data } = await graphql({ schema: subgraph.schema, source: '{ ok more row { x } }', rootValue });
    expect(data).toEqual({ ok: 1, more: null, row: null });
  });

  it('answers introspection', async () => {
    const subgraph = testedSubgraph('type Query { ok: Int @public }');
    const { data } = await subgraph.ask('{ __schema { queryType { name fields { name } } } }');
    expect(JSON.stringify(data)).toContain('"name":"ok"');
  });

  it('logs the coordinate of a value that cannot be minimized', async () => {
    const subgraph = testedSubgraph(
      'type Query { day: String @public @minimize(to: GENERALIZE, unit: MONTH) }',
      { Query: { day: () => 'hidden-value' } },
    );
    expect((await subgraph.ask('{ day }')).data).toEqual({ day: null });
    expect(subgraph.logged).toEqual([
      { code: 'VALUE_NOT_MINIMIZED', facts: { subgraph: 'tested', coordinate: 'Query.day', count: 1 } },
    ]);
  });

  it('names the coordinate of a minimization that cannot work', () => {
    expect(() =>
      testedSubgraph('type Query { day: Int @public @minimize(to: MASK, showLength: true) }'),
    ).toThrow(error('INVALID_RULE', 'Query.day: @minimize(to: MASK) needs a field of type String or ID'));
  });
});

describe('protectSchema', () => {
  it('leaves the extensions of a type alone', () => {
    const schema = plain();
    const extensions = { apollo: {}, mine: 1 };
    Object.assign(schema.getQueryType() ?? {}, { extensions });
    protectSchema(schema, OPTIONS);
    expect(schema.getQueryType()?.extensions).toEqual(extensions);
  });
});

describe('a caller without a token', () => {
  it('shares one pseudonym with all others, which is no client’s', async () => {
    const subgraph = testedSubgraph('type Query { alias: ID @public @minimize(to: PSEUDONYMIZE) }', {
      Query: { alias: () => 'value' },
    });
    const { data } = await subgraph.ask('{ alias }');
    const digest = createHmac('sha256', new Uint8Array(32).fill(7))
      .update('11:Query.alias0:2:[]5:value')
      .digest();
    expect(data).toEqual({ alias: digest.subarray(0, 16).toString('base64url') });
    expect((await subgraph.ask('{ alias }', {})).data).not.toEqual(data);
  });
});

describe('a subgraph in shadow', () => {
  it('warns with a code, and one that enforces its rules does not', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    protectSchema(plain(), { ...OPTIONS, coverage: 'open' });
    expect(warned).not.toHaveBeenCalled();
    protectSchema(plain(), { ...OPTIONS, enforcement: 'shadow' });
    expect(warned).toHaveBeenCalledWith(
      'subgraph "tested" is in shadow: its rules are recorded and not enforced',
      { code: 'BEHALF_SHADOW' },
    );
  });
});

describe('a refused transaction token', () => {
  it('is told by its code, and one that is missing is not', async () => {
    const onRefusedToken = vi.fn();
    const subgraph = testedSubgraph('type Query { ok: Int @public }', {}, { onRefusedToken });
    await protectedContext(subgraph.schema, {});
    expect(onRefusedToken).not.toHaveBeenCalled();
    await protectedContext(subgraph.schema, { 'txn-token': 'x' });
    expect(onRefusedToken.mock.calls).toEqual([['TXN_TOKEN_INVALID']]);
    // Nobody listens.
    const deaf = testedSubgraph('type Query { ok: Int @public }');
    expect((await protectedContext(deaf.schema, { 'txn-token': 'x' })).delegation).toBeUndefined();
  });
});
