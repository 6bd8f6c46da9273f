import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { buildProtectedSubgraph, protectSchema } from '@behalf/directives';
import { graphql, parse } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { afterAll, describe, expect, it } from 'vitest';
import { ComposeError } from '../../gateway/compose/errors.js';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import type { GatewayConfig } from '../../gateway/index.js';
import { projectPath } from '@behalf/example/internal';
import { federate } from '../conformance/support.js';
import type { Federation, Part } from '../conformance/support.js';
import { codes, send, startTestGateway, Cleanup } from './support.js';

// One test per row of docs/reference/federation-features.md, with real composition and a running gateway.

const cleanup = new Cleanup();
afterAll(() => cleanup.run());

/** The rows tested here: a feature and its support. */
const tested: string[] = [];
function feature(
  name: string,
  support: 'supported' | 'passed on' | 'refused',
  test: () => Promise<void>,
): void {
  tested.push(`${name}: ${support}`);
  it(`${name}: ${support}`, test, 60_000);
}

type Resolvers = NonNullable<Part['resolvers']>;

/** A subgraph that links a federation version with these imports and `@requiresScope`. */
function part(name: string, imports: string, sdl: string, resolvers: Resolvers, version = 'v2.9'): Part {
  const names = imports.split(' ').filter((each) => each !== '');
  return {
    name,
    sdl: `extend schema
        @link(url: "https://specs.apollo.dev/federation/${version}", import: ${JSON.stringify(names)})
        @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@public"])
      ${sdl}`,
    resolvers,
  };
}

async function start(parts: readonly Part[], config: Partial<GatewayConfig> = {}): Promise<Federation> {
  const federation = await federate(parts, config);
  cleanup.add(() => federation.close());
  return federation;
}

function composed(...parts: readonly Part[]): string {
  return composeSupergraph(parts.map(({ name, sdl }) => ({ name, url: `http://${name}.example`, sdl })));
}

const reference = (value: Record<string, unknown>) => ({
  __resolveReference: (key: object) => ({ ...key, ...value }),
});
const USER = { id: '1', email: 'old@example.com', name: 'Alma', cost: 7 };

const users = (imports: string, fields: string, more = ''): Part =>
  part(
    'users',
    `@key ${imports}`,
    `type Query { user: User } type User @key(fields: "id"${more}) { id: ID! ${fields} }`,
    {
      Query: { user: () => USER },
      User: reference(USER),
    },
  );
const profiles = (imports: string, fields: string, resolved: Record<string, unknown> = {}): Part =>
  part('profiles', `@key ${imports}`, `type User @key(fields: "id") { id: ID! ${fields} }`, {
    User: reference(resolved),
  });

feature('`@key`', 'supported', async () => {
  const { ask, reached } = await start([
    part(
      'users',
      '@key',
      'type Query { user: User } type User @key(fields: "id") { id: ID @requiresScope(scope: "id") }',
      {
        Query: { user: () => USER },
      },
    ),
    profiles('', 'nick: String', { nick: 'al' }),
  ]);
  const answer = await ask('{ user { id nick } }', { scopes: '' });
  expect(answer.body.data).toEqual({ user: { id: null, nick: 'al' } });
  expect(reached()).toContain('User.nick');
});

feature('`@key(resolvable: false)`', 'supported', async () => {
  const { ask } = await start([
    users('', 'name: String'),
    part(
      'orders',
      '@key',
      'type Query { buyer: User } type User @key(fields: "id", resolvable: false) { id: ID! }',
      {
        Query: { buyer: () => ({ id: '1' }) },
      },
    ),
  ]);
  expect((await ask('{ buyer { id name } }')).body.data).toEqual({ buyer: { id: '1', name: 'Alma' } });
});

feature('`@requires`', 'supported', async () => {
  const pricing = (rule: string): Part =>
    part(
      'pricing',
      '@key @external @requires',
      `type User @key(fields: "id") { id: ID! cost: Int @external price: Int @requires(fields: "cost") ${rule} }`,
      { User: { price: ({ cost }: { cost: number }) => cost * 2 } },
    );
  const rule = '@requiresScope(scope: "cost")';
  expect(() => composed(users('', `cost: Int ${rule}`), pricing(''))).toThrow(ComposeError);
  const { ask, reached } = await start([users('', `cost: Int ${rule}`), pricing(rule)]);
  expect((await ask('{ user { price } }', { scopes: 'cost' })).body.data).toEqual({ user: { price: 14 } });
  reached();
  expect((await ask('{ user { id price } }', { scopes: '' })).body.data).toEqual({
    user: { id: '1', price: null },
  });
  expect(reached()).not.toContain('User.cost');
});

feature('`@external`, `@provides`', 'supported', async () => {
  const { ask, reached } = await start([
    part(
      'orders',
      '@key @external @provides',
      `type Query { order: Order } type Order { buyer: User @provides(fields: "name") }
       type User @key(fields: "id") { id: ID! name: String @external }`,
      { Query: { order: () => ({ buyer: USER }) } },
    ),
    profiles('@shareable', 'name: String @shareable @requiresScope(scope: "name")', { name: 'Alma' }),
  ]);
  expect((await ask('{ order { buyer { id name } } }', { scopes: '' })).body.data).toEqual({
    order: { buyer: { id: '1', name: null } },
  });
  expect(reached()).not.toContain('User.name');
  expect((await ask('{ order { buyer { name } } }', { scopes: 'name' })).text).toContain('Alma');
});

feature('`@extends`', 'supported', async () => {
  const { ask } = await start([
    users('', 'name: String @requiresScope(scope: "name")'),
    part(
      'profiles',
      '@key @extends @external',
      `type User @extends @key(fields: "id") { id: ID! @external nick: String @requiresScope(scope: "nick") }`,
      { User: reference({ nick: 'al' }) },
    ),
  ]);
  const answer = await ask('{ user { name nick } }', { scopes: 'nick' });
  expect(answer.body.data).toEqual({ user: { name: null, nick: 'al' } });
});

feature('`@shareable`', 'supported', async () => {
  const { ask } = await start([
    users('@shareable', 'name: String @shareable'),
    profiles('@shareable', 'name: String @shareable @requiresScope(scope: "name")', { name: 'Alma' }),
  ]);
  // One subgraph's rule protects the field, whichever subgraph resolves it.
  expect((await ask('{ user { id name } }', { scopes: '' })).body.data).toEqual({
    user: { id: '1', name: null },
  });
  expect((await ask('{ user { name } }', { scopes: 'name' })).text).toContain('Alma');
});

feature('`@override`', 'supported', async () => {
  const { ask } = await start([
    users('', 'email: String @requiresScope(scope: "email")'),
    profiles('@override', 'email: String @override(from: "users")', { email: 'new@example.com' }),
  ]);
  expect((await ask('{ user { id email } }', { scopes: '' })).body.data).toEqual({
    user: { id: '1', email: null },
  });
  expect((await ask('{ user { email } }', { scopes: 'email' })).text).toContain('new@example.com');
});

feature('`@override(label:)`', 'passed on', async () => {
  const parts = [
    users('', 'email: String @requiresScope(scope: "email")'),
    profiles('@override', 'email: String @override(from: "users", label: "percent(100)")', {
      email: 'new@example.com',
    }),
  ];
  expect(composed(...parts)).toContain('overrideLabel: "percent(100)"');
  const { ask } = await start(parts);
  // Authorized either way; the field did not move.
  expect((await ask('{ user { id email } }', { scopes: '' })).body.data).toEqual({
    user: { id: '1', email: null },
  });
  expect((await ask('{ user { email } }', { scopes: 'email' })).text).toContain('old@example.com');
});

feature('`@inaccessible`', 'supported', async () => {
  const { ask } = await start([users('@inaccessible', 'name: String email: String @inaccessible')]);
  expect((await ask('{ user { name } }')).body.data).toEqual({ user: { name: 'Alma' } });
  const answer = await ask('{ user { email } }');
  expect([answer.status, codes(answer)]).toEqual([400, ['GRAPHQL_VALIDATION_FAILED']]);
});

feature('`@tag`', 'passed on', async () => {
  const parts = [users('@tag', 'name: String @tag(name: "internal")')];
  expect(composed(...parts)).toContain('@tag(name: "internal")');
  const { ask } = await start(parts);
  expect((await ask('{ user { name } }')).body.data).toEqual({ user: { name: 'Alma' } });
});

feature('`@interfaceObject`, entity interfaces', 'supported', async () => {
  const book = { __typename: 'Book', id: 'b', title: 'Faust' };
  const { ask } = await start([
    part(
      'media',
      '@key',
      `type Query { media: [Media] } interface Media @key(fields: "id") { id: ID! title: String }
       type Book implements Media @key(fields: "id") { id: ID! title: String }`,
      {
        Query: { media: () => [book] },
        Media: { __resolveReference: () => book },
        Book: { __resolveReference: () => book },
      },
    ),
    part(
      'reviews',
      '@key @interfaceObject',
      `type Media @key(fields: "id") @interfaceObject { id: ID! votes: Int stars: Int @requiresScope(scope: "stars") }`,
      { Media: reference({ votes: 7, stars: 5 }) },
    ),
  ]);
  const query = '{ media { title votes ... on Book { stars } } }';
  expect((await ask(query, { scopes: '' })).body.data).toEqual({
    media: [{ title: 'Faust', votes: 7, stars: null }],
  });
  expect((await ask(query, { scopes: 'stars' })).body.data).toEqual({
    media: [{ title: 'Faust', votes: 7, stars: 5 }],
  });
});

feature('`@composeDirective`', 'passed on', async () => {
  const parts = [
    part(
      'users',
      '@key @composeDirective',
      `extend schema @link(url: "https://example.com/owner/v1.0", import: ["@owner"]) @composeDirective(name: "@owner")
       directive @owner(team: String) on FIELD_DEFINITION
       type Query { hello: String @owner(team: "core") }`,
      { Query: { hello: () => 'hello' } },
    ),
  ];
  expect(composed(...parts)).toContain('@owner(team: "core")');
  const { ask } = await start(parts);
  expect((await ask('{ hello }')).body.data).toEqual({ hello: 'hello' });
});

feature('`@link` with `as`, and names with a prefix', 'supported', async () => {
  const { ask, reached } = await start([
    {
      name: 'users',
      sdl: `extend schema
          @link(url: "https://specs.apollo.dev/federation/v2.9", as: "fed", import: [{ name: "@authenticated", as: "@signedIn" }])
          @link(url: "https://specs.behalf.dev/behalf/v0.1", as: "b", import: [{ name: "@requiresScope", as: "@needs" }])
        type Query { a: String @signedIn b: String @needs(scope: "s") c: String @fed__policy(policies: [["p"]]) d: String @b__purpose(of: ["p"]) }`,
      resolvers: { Query: {} },
    },
  ]);
  const answer = await ask('{ a b c d }');
  expect(answer.body.data).toEqual({ a: null, b: null, c: null, d: null });
  expect(codes(answer)).toHaveLength(4);
  expect(reached()).toEqual([]);
});

feature('`@authenticated`, `@requiresScopes`, `@policy`', 'supported', async () => {
  const { ask } = await start([
    part(
      'users',
      '@authenticated @requiresScopes @policy',
      `type Query { a: String @authenticated b: String @requiresScopes(scopes: [["s"], ["t", "u"]]) c: String @policy(policies: [["p"]]) open: String }`,
      { Query: { a: () => 'a', b: () => 'b', c: () => 'c', open: () => 'o' } },
    ),
  ]);
  const asked = async (caller: Parameters<Federation['ask']>[1]) =>
    (await ask('{ a b c open }', caller)).body.data;
  expect(await asked({})).toEqual({ a: null, b: null, c: null, open: 'o' });
  expect(await asked({ scopes: 't' })).toEqual({ a: 'a', b: null, c: null, open: 'o' });
  expect(await asked({ scopes: 't u', policies: ['p'] })).toEqual({ a: 'a', b: 'b', c: 'c', open: 'o' });
});

/** Asserts that a composed supergraph cannot be served, and that the message names the feature. */
async function expectNotServed(supergraph: string, message: RegExp): Promise<void> {
  const issuers = [{ issuer: 'http://127.0.0.1:1', audience: 'a', jwksUri: 'http://127.0.0.1:1/jwks' }];
  await expect(startTestGateway(cleanup, supergraph, { issuers })).rejects.toMatchObject({
    name: 'SupergraphError',
    message: expect.stringMatching(message) as string,
  });
}

feature('`@context`, `@fromContext`', 'refused', async () => {
  const parts = [
    part(
      'users',
      '@key @context @fromContext',
      `type Query { user: User } type User @key(fields: "id") @context(name: "c") { id: ID! name: String card: Card }
       type Card @key(fields: "id") { id: ID! greeting(of: String @fromContext(field: "$c { name }")): String }`,
      {},
    ),
  ];
  const details = (): readonly string[] => {
    try {
      composed(...parts);
    } catch (error) {
      if (error instanceof ComposeError) return error.details;
    }
    return [];
  };
  expect(details().join('\n')).toMatch(/context/);
});

feature('`@cost`, `@listSize`', 'supported', async () => {
  const { ask } = await start(
    [
      part(
        'users',
        '@cost @listSize',
        'type Query { cheap: Int costly: Int @cost(weight: 60) many: [Row] @listSize(assumedSize: 80) } type Row { id: ID }',
        { Query: { cheap: () => 1, costly: () => 2, many: () => [] } },
      ),
    ],
    { limits: { cost: 70 } },
  );
  expect((await ask('{ cheap costly }')).status).toBe(200);
  expect(codes(await ask('{ costly again: costly }'))).toEqual(['OPERATION_LIMIT_EXCEEDED']);
  expect(codes(await ask('{ many { id } }'))).toEqual(['OPERATION_LIMIT_EXCEEDED']);
});

feature('`@cacheTag`', 'refused', async () => {
  const cached = part('users', '@cacheTag', 'type Query { a: String @cacheTag(format: "a") }', {}, 'v2.12');
  await expectNotServed(composed(cached), /cacheTag/);
});

feature('`@connect`, `@source`', 'refused', async () => {
  const connected = part(
    'users',
    '',
    `extend schema @link(url: "https://specs.apollo.dev/connect/v0.1", import: ["@connect", "@source"])
       @source(name: "api", http: { baseURL: "https://api.example" })
     type Query { user: User @connect(source: "api", http: { GET: "/user" }, selection: "id") } type User { id: ID! }`,
    {},
    'v2.10',
  );
  await expectNotServed(composed(connected), /connect/);
});

const small = (more = '', resolvers: Resolvers = {}): Part =>
  part(
    'users',
    '@key',
    `type Query { hello: String old: String @deprecated(reason: "gone") when: Date } scalar Date @specifiedBy(url: "https://example.com/date") ${more}`,
    {
      Query: { hello: () => 'hello', old: () => 'old', when: () => '2026-01-01' },
      ...resolvers,
    },
  );

feature('`@defer`, `@stream`', 'refused', async () => {
  const { ask } = await start([small()]);
  for (const query of ['{ ... @defer { hello } }', '{ hello @stream }']) {
    const answer = await ask(query, {
      headers: { accept: 'multipart/mixed; deferSpec=20220824, application/json' },
    });
    expect([answer.status, codes(answer)]).toEqual([400, ['GRAPHQL_VALIDATION_FAILED']]);
  }
});

feature('Subscriptions', 'refused', async () => {
  const { ask, reached } = await start([
    small('type Subscription { ticks: Int }', {
      Subscription: { ticks: { subscribe: () => ({}) } },
    }),
  ]);
  const answer = await ask('subscription { ticks }');
  expect([answer.status, codes(answer)]).toEqual([400, ['SUBSCRIPTION_UNSUPPORTED']]);
  expect(reached()).toEqual([]);
  expect((await ask('{ hello }')).body.data).toEqual({ hello: 'hello' });
});

feature('File uploads (`multipart/form-data`)', 'refused', async () => {
  const { gateway, reached } = await start([small()]);
  const body =
    '--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{"query":"{ hello }"}\r\n--x--';
  const type = { 'content-type': 'multipart/form-data; boundary=x' };
  for (const headers of [type, { ...type, 'apollo-require-preflight': '1' }])
    expect((await send(`${gateway.url}/graphql`, body, headers)).status).toBe(400);
  expect(reached()).toEqual([]);
});

feature('`@oneOf`', 'passed on', async () => {
  const parts = [
    part('users', '', 'input By @oneOf { id: ID name: String } type Query { find(by: By): String }', {
      Query: { find: () => 'found' },
    }),
  ];
  expect(composed(...parts)).not.toContain('@oneOf');
  const { ask } = await start(parts);
  expect((await ask('{ find(by: { id: 1 }) }')).body.data).toEqual({ find: 'found' });
  // The subgraph enforces it.
  const both = await ask('{ find(by: { id: 1, name: "x" }) }');
  expect([both.body.data, codes(both)]).toEqual([{ find: null }, ['GRAPHQL_VALIDATION_FAILED']]);
});

describe('`@oneOf` that no schema defines', () => {
  const LINKS = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key"])`;
  const input = 'input By @oneOf { id: ID name: String }';
  const query = 'type Query { find(by: By): String }';
  const gateway = { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' };
  const sdlOf = async (schema: GraphQLSchema): Promise<string> => {
    const { data } = await graphql({ schema, source: '{ _service { sdl } }' });
    return (data?._service as { sdl: string }).sdl;
  };
  const composedByOthers = (sdl: string) =>
    composeServices([{ name: 'users', url: 'http://users.example', typeDefs: parse(sdl) }]);

  it.each([
    ['a subgraph that states no rules', `${LINKS} ${input} ${query}`],
    ['a subgraph of Federation 1', `${input} ${query}`],
    ['a subgraph that defines it', `${LINKS} directive @oneOf on INPUT_OBJECT ${input} ${query}`],
  ])('composes: %s', (_what, sdl) => {
    const supergraph = composeSupergraph([{ name: 'users', url: 'http://users.example', sdl }]);
    expect(supergraph).toContain('input By');
    expect(supergraph).not.toContain('@oneOf');
  });

  it('composes from the schema that a subgraph publishes, by any composition', async () => {
    const schema = buildProtectedSubgraph({
      name: 'users',
      coverage: 'open',
      gateway,
      resolvers: {},
      typeDefs: `${LINKS} extend schema @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@public"])
        ${input} ${query}`,
    });
    const { errors, supergraphSdl } = composedByOthers(await sdlOf(schema));
    expect(errors).toBeUndefined();
    expect(supergraphSdl).toContain('input By');
  });

  it('composes from a schema in code, and the subgraph keeps it', async () => {
    const built = buildSubgraphSchema(parse(`${LINKS} ${input} ${query}`));
    const schema = protectSchema(built, { name: 'users', coverage: 'open', gateway });
    expect(composedByOthers(await sdlOf(schema)).errors).toBeUndefined();
    const { errors } = await graphql({ schema, source: '{ find(by: { id: 1, name: "x" }) }' });
    expect(errors?.[0]?.message).toContain('exactly one');
  });
});

feature('`@skip`, `@include`', 'supported', async () => {
  const { ask, reached } = await start([
    small('extend type Query { secret: Int @requiresScope(scope: "s") }'),
  ]);
  const query = 'query ($no: Boolean!) { hello @skip(if: $no) secret @include(if: $no) }';
  const answer = await ask(query, { variables: { no: false } });
  expect(answer.body).toEqual({ data: { hello: 'hello' } });
  expect(reached()).toEqual(['Query.hello']);
});

feature('`@deprecated`, `@specifiedBy`', 'passed on', async () => {
  const { ask } = await start([small()], { introspection: 'all' });
  const answer = await ask(
    '{ q: __type(name: "Query") { fields(includeDeprecated: true) { name deprecationReason } } d: __type(name: "Date") { specifiedByURL } }',
  );
  expect(answer.text).toContain('"deprecationReason":"gone"');
  expect(answer.body.data?.d).toEqual({ specifiedByURL: 'https://example.com/date' });
});

feature('Automatic persisted queries', 'supported', async () => {
  const { gateway } = await start([small()], { http: { persistedQueries: {} } });
  const query = '{ hello }';
  const sha256Hash = createHash('sha256').update(query).digest('hex');
  const post = (body: object) =>
    send(`${gateway.url}/graphql`, JSON.stringify(body), { 'content-type': 'application/json' });
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  expect(codes(await post({ extensions }))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
  expect((await post({ query, extensions })).body.data).toEqual({ hello: 'hello' });
  expect((await post({ extensions })).body.data).toEqual({ hello: 'hello' });
});

feature('Batches of operations', 'supported', async () => {
  const { gateway } = await start([small()], { http: { batch: {} } });
  const answer = await send(`${gateway.url}/graphql`, '[{"query":"{ hello }"},{"query":"{ old }"}]', {
    'content-type': 'application/json',
  });
  expect(JSON.parse(answer.text)).toEqual([{ data: { hello: 'hello' } }, { data: { old: 'old' } }]);
});

feature('Queries by GET', 'supported', async () => {
  const { gateway } = await start([small()], { http: { get: true } });
  const answer = await send(
    `${gateway.url}/graphql?query={hello}`,
    '',
    { 'apollo-require-preflight': '1' },
    'GET',
  );
  expect(answer.body.data).toEqual({ hello: 'hello' });
});

feature('Introspection', 'supported', async () => {
  const { ask } = await start([small()]);
  const query = '{ __schema { queryType { name } } }';
  expect(codes(await ask(query))).toEqual(['INTROSPECTION_DISABLED']);
  expect((await ask(query, { scopes: '' })).body.data).toEqual({
    __schema: { queryType: { name: 'Query' } },
  });
});

feature('`_entities`, `_service`', 'refused', async () => {
  const { ask } = await start([users('', 'name: String')]);
  for (const query of ['{ _service { sdl } }', '{ _entities(representations: []) { __typename } }']) {
    const answer = await ask(query, { scopes: '' });
    expect([answer.status, codes(answer)]).toEqual([400, ['GRAPHQL_VALIDATION_FAILED']]);
  }
});

feature('Schemas of Federation 1', 'supported', async () => {
  const { ask } = await start([
    {
      name: 'users',
      sdl: 'type Query { user: User } type User @key(fields: "id") { id: ID! }',
      resolvers: { Query: { user: () => USER } },
    },
    {
      name: 'profiles',
      sdl: 'extend type User @key(fields: "id") { id: ID! @external nick: String }',
      resolvers: { User: reference({ nick: 'al' }) },
    },
  ]);
  expect((await ask('{ user { id nick } }')).body.data).toEqual({ user: { id: '1', nick: 'al' } });
});

it('docs/reference/federation-features.md has these rows in this order', async () => {
  const text = await readFile(projectPath('docs/reference/federation-features.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (.+?) +\| (supported|passed on|refused) +\|/gm)].map(
    ([, name = '', support = '']) => `${name.trim()}: ${support}`,
  );
  expect(rows).toEqual(tested);
});
