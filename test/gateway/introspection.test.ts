import fc from 'fast-check';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  graphqlSync,
  isInterfaceType,
  isObjectType,
  printSchema,
  validateSchema,
} from 'graphql';
import type { IntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { introspectableDocument, visibleSchema } from '../../gateway/schema-introspection/visible-schema.js';
import { AUDIENCE, Cleanup, codes, compose, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let granted: TestGateway;
let authenticated: TestGateway;

const accountsSdl = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated"])
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@minimize"])
  type Query {
    account(filter: AccountFilter): Account @requiresScope(scope: "accounts")
    holder: Party
    again: Query
  }
  input AccountFilter {
    kind: Kind
  }
  enum Kind {
    CURRENT
    SAVINGS
  }
  interface Party {
    name: String
    city: String
  }
  type Firm implements Party {
    name: String
    city: String @requiresScope(scope: "city")
  }
  type Account {
    id: ID
    iban: String @minimize(to: MASK, showLength: true)
  }
  type Secret @authenticated {
    a: String
  }
  type Person @key(fields: "id") {
    id: ID!
    secrets: [Secret] @requiresScope(scope: "secrets")
  }
`;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  accounts = await TestSubgraph.start('accounts', undefined, accountsSdl);
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE, claims: { policies: 'policies' } }];
  const supergraph = compose(people, accounts);
  granted = await startTestGateway(cleanup, supergraph, { issuers, introspection: 'granted' });
  authenticated = await startTestGateway(cleanup, supergraph, { issuers });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
  accounts.requests.length = 0;
});

async function schemaOf(gateway: TestGateway, claims: Record<string, unknown>): Promise<string> {
  const { body } = await gateway.ask(getIntrospectionQuery(), { token: await issuer.mint(claims) });
  expect(body.errors).toBeUndefined();
  const schema = buildClientSchema(body.data as unknown as IntrospectionQuery);
  expect(validateSchema(schema)).toEqual([]);
  return printSchema(schema);
}

describe('introspection by any caller', () => {
  it('never shows Behalf’s directives, nor federation’s additions', async () => {
    for (const gateway of [granted, authenticated]) {
      const { body } = await gateway.ask('{ __schema { directives { name } types { name } } }', {
        token: await issuer.mint({ scope: 'accounts name' }),
      });
      const { directives, types } = (body.data as { __schema: Record<string, { name: string }[]> }).__schema;
      const standard = ['deprecated', 'include', 'oneOf', 'skip', 'specifiedBy'];
      for (const { name } of directives ?? []) expect(standard).toContain(name);
      for (const { name } of types ?? [])
        expect(name).not.toMatch(
          /^(_|join__|link__|behalf|federation)(?!_(Schema|Type|Field|InputValue|EnumValue|Directive))/,
        );
    }
  });

  it('cannot recurse', async () => {
    const deep =
      '{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }';
    for (const gateway of [granted, authenticated]) {
      const answer = await gateway.ask(deep, { token: await issuer.mint() });
      expect(answer.status).toBe(400);
    }
  });

  it('is not available through a nested field that returns the query type', async () => {
    for (const gateway of [granted, authenticated]) {
      const nested = '{ again { __schema { types { name } } } }';
      expect(codes(await gateway.ask(nested))).toEqual(['INTROSPECTION_DISABLED']);
    }
    const answer = await granted.ask(
      '{ a: __schema { queryType { name } } again { again { __type(name: "Secret") { name } } } }',
      {
        token: await issuer.mint(),
      },
    );
    expect(codes(answer)).toEqual(['INTROSPECTION_DISABLED']);
    expect(accounts.requests).toEqual([]);
  });

  it.each([
    ['{ __type(name: "AccountFilter") { isOneOf } }', { __type: { isOneOf: false } }],
    [
      'query ($t: String!) { a: __type(name: $t) { ...T } } fragment T on __Type { isOneOf name }',
      { a: { isOneOf: false, name: 'AccountFilter' } },
    ],
    [
      '{ hello __type(name: "AccountFilter") { isOneOf } z: __typename }',
      { hello: 'hello world', __type: { isOneOf: false }, z: 'Query' },
    ],
    ['{ __type(name: "None") { isOneOf } }', { __type: null }],
  ])('has each field of graphql’s introspection: %s', async (query, expected) => {
    const token = await issuer.mint({ scope: 'accounts' });
    for (const gateway of [granted, authenticated]) {
      const { body } = await gateway.ask(query, { token, variables: { t: 'AccountFilter' } });
      expect(body).toEqual({ data: expected });
    }
    expect(people.queries).not.toContain('__type(');
  });

  it('is what graphql answers to the longest query of tools', async () => {
    const query = getIntrospectionQuery({
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    });
    for (const gateway of [granted, authenticated]) {
      const { body } = await gateway.ask(query, { token: await issuer.mint({ scope: 'accounts' }) });
      expect(body.errors).toBeUndefined();
      const schema = buildClientSchema(body.data as unknown as IntrospectionQuery);
      expect(graphqlSync({ schema, source: query }).data).toEqual(body.data);
    }
  });

  it('suggests no field', async () => {
    for (const token of [undefined, await issuer.mint()]) {
      const { text } = await granted.ask('{ accont { ibn } }', { token });
      expect(text).not.toContain('account');
    }
  });
});

describe('introspection through a fragment, when a field beside it is denied', () => {
  let open: TestGateway;
  let rejecting: TestGateway;
  let shadow: TestGateway;

  beforeAll(async () => {
    const config = { issuers: [{ issuer: issuer.url, audience: AUDIENCE }], introspection: 'all' } as const;
    const supergraph = compose(people, accounts);
    const start = (mode: 'filter' | 'reject' | 'shadow'): Promise<TestGateway> =>
      startTestGateway(cleanup, supergraph, { ...config, authorization: { mode } });
    [open, rejecting, shadow] = [await start('filter'), await start('reject'), await start('shadow')];
  });

  const root = { queryType: { name: 'Query' } };
  const person = { name: 'Person' };

  it.each([
    ['on __schema', '{ __schema { ...F } me { email } } fragment F on __Schema { queryType { name } }', root],
    ['on __type', '{ __type(name: "Person") { ...F } me { email } } fragment F on __Type { name }', person],
    [
      'in a fragment on Query',
      '{ ...Q me { email } } fragment Q on Query { __schema { ...F } } fragment F on __Schema { queryType { ...T } } fragment T on __Type { name }',
      root,
    ],
    [
      'in the fragment that loses the denied field',
      '{ ...Q } fragment Q on Query { __schema { ...F } me { email } } fragment F on __Schema { queryType { name } }',
      root,
    ],
    [
      'in inline fragments',
      '{ ... { __schema { ... on __Schema { queryType { ... @include(if: true) { ...T } } } } } me { email } } fragment T on __Type { name }',
      root,
    ],
    [
      'with a variable of its own',
      'query ($no: Boolean = false) { __type(name: "Person") { ...F } me { email } } fragment F on __Type { name kind @include(if: $no) }',
      person,
    ],
    [
      'under an alias, spread twice',
      '{ __type(name: "Person") { ...F } other: __type(name: "Account") { ...F } me { email } } fragment F on __Type { name }',
      person,
    ],
  ])('stays: %s', async (_where, query, expected) => {
    for (const token of [undefined, await issuer.mint()]) {
      const answer = await open.ask(query, { ...(token !== undefined && { token }) });
      const { __schema, __type } = answer.body.data as Record<string, unknown>;
      expect(__schema ?? __type).toEqual(expected);
      expect(answer.body.errors).toMatchObject([{ path: ['me', 'email'] }]);
      expect(open.log.of('INTERNAL_SERVER_ERROR')).toEqual([]);
    }
    expect(people.queries).not.toContain('__');
  });

  it.each([
    '{ again { __schema { ...F } } me { email } } fragment F on __Schema { queryType { name } }',
    '{ again { ...Q } } fragment Q on Query { __type(name: "Person") { name } }',
    '{ again { again { __schema { queryType { name } } } } }',
    '{ __schema { ...F } again { __schema { ...F } } } fragment F on __Schema { queryType { name } }',
  ])('is refused below the root, and is no internal error: %s', async (query) => {
    for (const token of [undefined, await issuer.mint()]) {
      const answer = await open.ask(query, { ...(token !== undefined && { token }) });
      expect([answer.status, codes(answer)]).toEqual([403, ['INTROSPECTION_DISABLED']]);
      expect(answer.headers).not.toHaveProperty('www-authenticate');
    }
    expect(open.log.of('INTERNAL_SERVER_ERROR')).toEqual([]);
    expect(accounts.requests).toEqual([]);
  });

  it('in the other modes', async () => {
    const query = '{ __schema { ...F } me { email } } fragment F on __Schema { queryType { name } }';
    expect(codes(await rejecting.ask(query))).toEqual(['UNAUTHORIZED_FIELD_OR_TYPE']);
    expect((await shadow.ask(query)).body.data).toMatchObject({ __schema: root });
  });

  it('a fragment on data is filtered, wherever it stands', async () => {
    const query = `{ __schema { ...F } ...D } fragment D on Query { me { ...P } }
      fragment F on __Schema { queryType { name } } fragment P on Person { id email }`;
    const { body } = await open.ask(query);
    expect(body.data).toEqual({ __schema: root, me: { id: 'c-000001', email: null } });
    expect(people.queries).not.toContain('email');
  });
});

describe('granted', () => {
  it('shows nothing to an anonymous caller', async () => {
    const answer = await granted.ask('{ __schema { queryType { name } } }');
    expect(answer.status).toBe(401);
    expect(codes(answer)).toEqual(['INTROSPECTION_DISABLED']);
  });

  it('shows what the delegation can reach, without what only denied fields reach', async () => {
    const little = await schemaOf(granted, {});
    expect(little).toContain('hello(name: String): String');
    for (const hidden of [
      'account',
      'AccountFilter',
      'Kind',
      'Account',
      'Secret',
      'secrets',
      'email',
      'vip',
      'rename',
      'city',
    ])
      expect(little).not.toMatch(new RegExp(`\\b${hidden}\\b`));
    // Only the mutation `touch` requires nothing.
    expect(little).toMatch(/type Mutation {\s+touch: String\s+}/);
    expect(little).toMatch(/interface Party {\s+name: String\s+}/);

    const more = await schemaOf(granted, { scope: 'accounts city secrets', policies: ['vip'] });
    for (const shown of [
      'account(filter: AccountFilter): Account',
      'enum Kind',
      'vip: String',
      'city: String',
      'secrets: [Secret]',
    ])
      expect(more).toContain(shown);
    expect(more).not.toContain('email');
  });

  it('answers __type alike for an unreachable and an unknown type', async () => {
    const token = await issuer.mint();
    const { body } = await granted.ask(
      '{ a: __type(name: "Secret") { name } b: __type(name: "Nothing") { name } c: __type(name: "Person") { name } }',
      { token },
    );
    expect(body.data).toEqual({ a: null, b: null, c: { name: 'Person' } });
  });

  it('works beside data, in the client’s order, with fragments and variables', async () => {
    const query = `query Q($t: String!, $who: String, $no: Boolean!) {
      ...S hello(name: $who) ... { s: __schema { queryType { ...N } } } me { email } z: __typename
      __type(name: $t) @include(if: $no) { name }
    }
    fragment S on Query { __proto__: __type(name: $t) { ...N } me { id } }
    fragment N on __Type { name }`;
    const { text } = await granted.ask(query, {
      token: await issuer.mint(),
      variables: { t: 'Person', who: 'you', no: false },
    });
    expect(JSON.stringify((JSON.parse(text) as { data: unknown }).data)).toBe(
      '{"__proto__":{"name":"Person"},"me":{"id":"c-000001","email":null},"hello":"hello you","s":{"queryType":{"name":"Query"}},"z":"Query"}',
    );
    expect(people.queries).not.toContain('email');
    expect(people.queries).not.toContain('__schema');
  });

  it('depends only on the caller, never on earlier ones', async () => {
    const claims = [{}, { scope: 'accounts' }, { scope: 'accounts city' }, { policies: ['vip'] }];
    const first = await Promise.all(claims.map((each) => schemaOf(granted, each)));
    const again = await Promise.all([...claims].reverse().map((each) => schemaOf(granted, each)));
    expect(again.reverse()).toEqual(first);
    expect(new Set(first).size).toBe(claims.length);
  });
});

describe('the visible part of any schema', () => {
  const whole = buildSchema(/* GraphQL */ `
    type Query {
      a: A
      b(in: In): B
      i: I
      u: U
      j: J!
    }
    type Mutation {
      m: A
      n(e: E): I
    }
    interface J {
      x: Int
      next: J
    }
    interface I implements J {
      x: Int
      next: J
      y: A
    }
    type A implements I & J {
      x: Int
      next: A
      y: A
      u: [U!]!
    }
    type B implements J {
      x: Int
      next: J
      e: E
      q: Query
    }
    type C {
      c: C
      s: S
    }
    union U = A | C
    enum E {
      ONE
      TWO
    }
    scalar S
    input In {
      e: E
      in: In
    }
  `);
  const document = introspectableDocument(whole);
  const coordinates = Object.values(whole.getTypeMap()).flatMap((type) =>
    (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__')
      ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`)
      : [],
  );

  /** As in the rule table: a field on an interface requires the rules of every implementing object. */
  const lawful = (grants: readonly string[]): string[] =>
    grants.filter((coordinate) => {
      const [typeName = '', field = ''] = coordinate.split('.');
      const type = whole.getType(typeName);
      return (
        !isInterfaceType(type) ||
        whole.getPossibleTypes(type).every((each) => grants.includes(`${each.name}.${field}`))
      );
    });

  it('is valid, shows only what is granted, and grows with the grant', () => {
    fc.assert(
      fc.property(fc.subarray(coordinates), fc.subarray(coordinates), (one, other) => {
        const shown = (grants: readonly string[]): string[] => {
          const schema = visibleSchema(document, (type, field) => grants.includes(`${type}.${field}`));
          if (schema === undefined) return [];
          expect(validateSchema(schema)).toEqual([]);
          const fields = Object.values(schema.getTypeMap()).flatMap((type) =>
            (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__')
              ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`)
              : [],
          );
          for (const field of fields) expect(grants).toContain(field);
          return fields;
        };
        shown(one);
        const narrow = shown(lawful(one));
        const wide = shown(lawful([...new Set([...one, ...other])]));
        for (const field of narrow) expect(wide).toContain(field);
      }),
      { numRuns: 2_000 },
    );
  });
});
