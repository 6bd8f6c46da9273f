import type { Delegation } from '@behalf/directives';
import { buildSchema, execute, graphqlSync, Kind, parse, print, validate } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { createOperationAuthorizer, SupergraphError } from '../../gateway/authorize/index.js';
import type { ClientOperation } from '../../gateway/authorize/index.js';

const people = /* GraphQL */ `
  extend schema
    @link(
      url: "https://specs.apollo.dev/federation/v2.9"
      import: ["@key", "@requiresScopes", { name: "@authenticated", as: "@signedIn" }]
    )
    @link(
      url: "https://specs.behalf.dev/behalf/v0.1"
      import: [{ name: "@requiresScope", as: "@needs" }, "@purpose", "@minimize"]
    )
  type Query {
    me: Person
    people: [Person]
    strict: Strict
    things: [Thing]
    named: [Named]
    secret: Secret
  }
  type Mutation {
    pay(amount: Int): Receipt @needs(scope: "pay")
    note(text: String): Note
  }
  type Receipt {
    id: ID
    total: Int @needs(scope: "total")
  }
  type Note {
    text: String @needs(scope: "note")
  }
  interface Named {
    name: String
  }
  type Person implements Named @key(fields: "id") {
    id: ID!
    name: String
    email: String @needs(scope: "email")
    phone: String @needs(scope: "phone") @minimize(to: MASK, showLength: true, unless: [["phone:full"]])
    friends: [Person]
    tax: Int! @needs(scope: "tax") @needs(scope: "email")
    credit: Int @purpose(of: ["credit"])
  }
  type Robot implements Named {
    name: String @needs(scope: "robot")
    model: String
  }
  type Strict {
    always: String! @signedIn
    other: String
  }
  type Secret @needs(scope: "secret") {
    text: String
  }
  union Thing = Person | Robot | Secret
`;
const visits = /* GraphQL */ `
  extend schema
    @link(
      url: "https://specs.apollo.dev/federation/v2.9"
      import: ["@key", "@requiresScopes", { name: "@authenticated", as: "@signedIn" }]
    )
  type Person @key(fields: "id") {
    id: ID!
    visits: [Visit!] @requiresScopes(scopes: [["visits"], ["all"]])
  }
  type Visit {
    place: String! @requiresScopes(scopes: [["place"]])
    day: String
  }
`;

const sdl = composeSupergraph([
  { name: 'people', url: 'http://people', sdl: people },
  { name: 'visits', url: 'http://visits', sdl: visits },
]);

const person = (id: string) => ({
  __typename: 'Person',
  id,
  name: `n-${id}`,
  email: `e-${id}`,
  phone: `p-${id}`,
  tax: 7,
  credit: 1,
  visits: [
    { place: 'x', day: 'mon' },
    { place: 'y', day: 'tue' },
  ],
});
const ran: string[] = [];
const root = {
  me: person('1'),
  people: Array.from({ length: 30 }, (_, index) => ({ ...person(String(index)), friends: [person('f')] })),
  strict: { always: 'a', other: 'o' },
  things: [
    person('1'),
    { __typename: 'Robot', name: 'rob', model: 'm' },
    { __typename: 'Secret', text: 't' },
  ],
  named: [person('1'), { __typename: 'Robot', name: 'rob', model: 'm' }],
  secret: { text: 't' },
  pay: () => {
    ran.push('pay');
    return { id: 'r', total: 3 };
  },
  note: () => {
    ran.push('note');
    return { text: 't' };
  },
};

function delegation(scopes: string, purposes: string[] = []): Delegation {
  return {
    subject: '1',
    clientId: 'app',
    scopes: new Set(scopes.split(' ')),
    policies: new Set(),
    roles: [],
    consent: { id: 'c', version: 1, purposes, detail: 'full' },
  };
}

const authorizer = createOperationAuthorizer(sdl);
// One schema with all fields stands in for the federation: planning is tested elsewhere.
const merged = buildSchema(
  `${people}\nextend type Person { visits: [Visit!] }\n type Visit { place: String! day: String }`
    .replace(/extend schema[\s\S]*?type Query/, 'type Query')
    .replace(/@[a-zA-Z]+(\([^)]*\))?/g, ''),
);

function client(source: string): ClientOperation {
  const document = parse(source);
  expect(validate(merged, document)).toEqual([]);
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return { document, operation, queryHash: source };
}

function run(
  source: string,
  caller?: Delegation,
  variables: Record<string, unknown> = {},
): { result: ExecutionResult; executed: string | undefined } {
  const authorization = authorizer.authorize(client(source), caller, variables);
  const { execute: operation } = authorization;
  const outcome =
    operation === undefined
      ? { data: {} }
      : execute({ schema: merged, document: operation.document, rootValue: root, variableValues: variables });
  if (operation !== undefined) expect(validate(merged, operation.document)).toEqual([]);
  const completed = authorization.complete(outcome as { data: Record<string, unknown> });
  return {
    result: JSON.parse(JSON.stringify(completed)) as ExecutionResult,
    executed: operation === undefined ? undefined : print(operation.document).replace(/\s+/g, ' '),
  };
}
const paths = (result: ExecutionResult): string[] =>
  (result.errors ?? []).map(
    ({ path, extensions }) =>
      `${(path ?? []).join('.')} ${String((extensions as { coordinate?: unknown } | undefined)?.coordinate)}`,
  );

describe('a denied selection', () => {
  it('is never executed, and is null in the order of the document', () => {
    const { result, executed } = run('{ me { name email id phone } }', delegation('phone'));
    expect(executed).toBe('{ me { name id phone } }');
    expect(JSON.stringify(result.data)).toBe('{"me":{"name":"n-1","email":null,"id":"1","phone":"p-1"}}');
    expect(result.errors).toEqual([
      {
        message: 'Unauthorized field or type',
        path: ['me', 'email'],
        extensions: {
          code: 'UNAUTHORIZED_FIELD_OR_TYPE',
          coordinate: 'Person.email',
          requires: { scopes: [[['email']]] },
        },
      },
    ]);
  });

  it('leaves an allowed operation unchanged', () => {
    const operation = client('{ me { name email } }');
    const authorization = authorizer.authorize(operation, delegation('email'), {});
    expect(authorization.execute).toBe(operation);
    expect(authorization.unchanged).toBe(true);
  });

  it('gives the filtered document its own plan cache key', () => {
    const operation = client('{ me { name email phone } }');
    const hashes = ['', 'email', 'phone', 'email phone'].map(
      (scopes) => authorizer.authorize(operation, delegation(scopes), {}).execute?.queryHash,
    );
    expect(new Set(hashes).size).toBe(4);
    expect(hashes[3]).toBe(operation.queryHash);
  });

  it('includes what the rules of the returned type deny', () => {
    const { result, executed } = run('{ secret { text } me { id } }', delegation(''));
    expect(executed).toBe('{ me { id } }');
    expect(result.data).toEqual({ secret: null, me: { id: '1' } });
    expect(paths(result)).toEqual(['secret Query.secret']);
  });

  it('lacks a repeated scope, every alternative, or a consented purpose', () => {
    expect(run('{ me { id tax } }', delegation('tax')).result.data).toEqual({ me: null });
    expect(run('{ me { id tax } }', delegation('tax email')).result.data).toEqual({
      me: { id: '1', tax: 7 },
    });
    expect(run('{ me { visits { day } } }', delegation('all')).result.errors).toBeUndefined();
    expect(run('{ me { id credit } }', delegation('', ['ads'])).result.data).toEqual({
      me: { id: '1', credit: null },
    });
    expect(run('{ me { credit } }', delegation('', ['credit'])).result.data).toEqual({ me: { credit: 1 } });
  });

  it('is recognised by a renamed directive (CVE-2025-64347)', () => {
    expect(run('{ strict { other always } }').result.data).toEqual({ strict: null });
    expect(run('{ strict { other always } }', delegation('')).result.data).toEqual({
      strict: { other: 'o', always: 'a' },
    });
  });
});

describe('a selection set that becomes empty', () => {
  it('removes its field, upward, and reports each denial at the denied field', () => {
    const { result, executed } = run('{ me { email } people { friends { email phone } } }', delegation(''));
    expect(executed).toBeUndefined();
    expect(result.data).toEqual({ me: null, people: null });
    // Lists that were never fetched have no index.
    expect(paths(result)).toEqual([
      'me.email Person.email',
      'people.friends.email Person.email',
      'people.friends.phone Person.phone',
    ]);
  });

  it.each<[string, string, readonly string[]]>([
    ['aliases', '{ i: me { f: friends { e: email } } }', ['i.f.e Person.email']],
    [
      'a list that was fetched',
      '{ people { id friends { email } } }',
      ['people.0.friends.email Person.email'],
    ],
    [
      'a fragment at several positions',
      '{ me { friends { ...F } ...F } } fragment F on Person { email }',
      ['me.friends.email Person.email', 'me.email Person.email'],
    ],
    [
      'one coordinate under two keys',
      '{ me { email mail: email } }',
      ['me.email Person.email', 'me.mail Person.email'],
    ],
    [
      'one key that is selected several times',
      '{ me { email email } me { email ...F } } fragment F on Person { ... { email } phone }',
      ['me.email Person.email', 'me.phone Person.phone'],
    ],
    [
      'types of which one is unknown',
      '{ named { ... on Robot { x: name } ...F } } fragment F on Named { x: name }',
      ['named.x Robot.name', 'named.x Named.name'],
    ],
    ['a denied field with selections of its own', '{ me { visits { place } } }', ['me.visits Person.visits']],
    ['a non-null field', '{ me { t: tax } }', ['me.t Person.tax']],
    ['a mutation', 'mutation { p: pay(amount: 1) { total } }', ['p.total Receipt.total']],
    [
      'names of every object’s properties',
      '{ me { __proto__: email constructor: phone } }',
      ['me.__proto__ Person.email', 'me.constructor Person.phone'],
    ],
    [
      'what is not left out',
      '{ me { email @skip(if: true) phone ... @include(if: false) { tax } } }',
      ['me.phone Person.phone'],
    ],
  ])('continues the path by response keys: %s', (_what, query, expected) => {
    const { result } = run(query, delegation('pay'));
    expect(paths(result).slice(0, expected.length)).toEqual(expected);
    expect(new Set(paths(result)).size).toBe(result.errors?.length);
  });

  it('does not run a mutation whose whole payload is denied', () => {
    ran.length = 0;
    const { result } = run(
      'mutation { note(text: "x") { text } pay(amount: 1) { total } }',
      delegation('pay'),
    );
    expect(ran).toEqual([]);
    expect(result.data).toEqual({ note: null, pay: null });
    expect(run('mutation { pay(amount: 1) { id total } }', delegation('pay')).result.data).toEqual({
      pay: { id: 'r', total: null },
    });
    expect(ran).toEqual(['pay']);
  });

  it('removes unused variables and fragments', () => {
    const { executed } = run(
      'query Q($x: Boolean!, $y: Boolean!) { me { id @include(if: $y) ...F } } fragment F on Person { email @include(if: $x) }',
      delegation(''),
      { x: true, y: true },
    );
    expect(executed).toBe('query Q($y: Boolean!) { me { id @include(if: $y) } }');
  });
});

describe('@skip and @include', () => {
  it('omit the error with the field', () => {
    const query = 'query ($x: Boolean!) { me { id email @include(if: $x) } }';
    expect(run(query, delegation(''), { x: false }).result).toEqual({ data: { me: { id: '1' } } });
    expect(paths(run(query, delegation(''), { x: true }).result)).toEqual(['me.email Person.email']);
  });

  it('omit the denials of a fragment that is spread only there', () => {
    const query =
      'query ($x: Boolean!) { me { id ... @include(if: $x) { ...F } } } fragment F on Person { friends { email } }';
    const denials = (x: boolean): number =>
      authorizer.authorize(client(query), delegation(''), { x }).denials.length;
    expect(denials(false)).toBe(0);
    expect(denials(true)).toBe(1);
  });

  it('keep a parent from which everything else was skipped', () => {
    const query = 'query ($x: Boolean = false) { me { email @include(if: $x) } }';
    expect(run(query, delegation('')).result).toEqual({ data: { me: {} } });
    expect(run(query, delegation(''), { x: true }).result.data).toEqual({ me: null });
  });
});

describe('non-null propagation', () => {
  it('reaches the next nullable position, for each list entry', () => {
    const { result } = run('{ people { id tax } }', delegation('email'));
    expect((result.data as { people: unknown[] }).people.every((entry) => entry === null)).toBe(true);
    const visitsResult = run('{ me { id visits { place day } } }', delegation('visits')).result;
    expect(visitsResult.data).toEqual({ me: { id: '1', visits: null } });
    expect(paths(visitsResult)).toEqual(['me.visits.0.place Visit.place', 'me.visits.1.place Visit.place']);
  });
});

describe('errors', () => {
  it('carry list indices, and are summarized past twenty per selection', () => {
    const { result } = run('{ people { id email } }', delegation(''));
    const listed = result.errors ?? [];
    expect(listed).toHaveLength(21);
    expect(listed[3]?.path).toEqual(['people', 3, 'email']);
    expect(listed[20]).toMatchObject({ extensions: { coordinate: 'Person.email', omittedPaths: 10 } });
    expect(listed[20]?.path).toBeUndefined();
  });

  it('of a removed parent hide those of its children', () => {
    const { result } = run('{ me { visits { place } } }', delegation(''));
    expect(paths(result)).toEqual(['me.visits Person.visits']);
  });
});

describe('interfaces and unions', () => {
  it('require on an interface the rules of every implementer', () => {
    const { result } = run('{ named { name __typename } }', delegation(''));
    expect(result.data).toEqual({
      named: [
        { name: null, __typename: 'Person' },
        { name: null, __typename: 'Robot' },
      ],
    });
  });

  it('judge fragments on implementers by the implementer (CVE-2025-64530)', () => {
    const query = '{ named { ... on Person { name } ...R } } fragment R on Robot { model name }';
    const { result, executed } = run(query, delegation(''));
    expect(executed).not.toContain('on Robot { model name');
    expect(result.data).toEqual({ named: [{ name: 'n-1' }, { model: 'm', name: null }] });
    expect(paths(result)).toEqual(['named.1.name Robot.name']);
  });

  it('judge each union member by itself (Hive #1422)', () => {
    const query =
      '{ things { __typename ... on Secret { text } ... on Person { id email } ... on Robot { model } } }';
    const { result } = run(query, delegation('email'));
    expect(result.data).toEqual({
      things: [
        { __typename: 'Person', id: '1', email: 'e-1' },
        { __typename: 'Robot', model: 'm' },
        { __typename: 'Secret', text: null },
      ],
    });
    expect(paths(result)).toEqual(['things.2.text Secret.text']);
  });

  it('keep the value of a key that allowed and denied selections share (Hive #1423)', () => {
    const query = '{ named { name ... on Person { name } } }';
    const { result } = run(query, delegation(''));
    expect(result.data).toEqual({ named: [{ name: 'n-1' }, { name: null }] });
    expect(paths(result)).toEqual(['named.1.name Named.name']);
  });

  it('hide the __typename that the gateway added', () => {
    const { result, executed } = run(
      '{ __behalf_typename: __typename named { ... on Robot { model name } } }',
      delegation(''),
    );
    expect(executed).toContain('__behalf_typename_: __typename');
    expect(result.data).toEqual({ __behalf_typename: 'Query', named: [{}, { model: 'm', name: null }] });
  });
});

describe('names', () => {
  it('__proto__, constructor and hasOwnProperty are ordinary aliases (CVE-2026-32621)', () => {
    const query = '{ __proto__: me { constructor: id hasOwnProperty: email __proto__: name } }';
    const { result } = run(query, delegation(''));
    expect(JSON.stringify(result.data)).toBe(
      '{"__proto__":{"constructor":"1","hasOwnProperty":null,"__proto__":"n-1"}}',
    );
    expect(({} as Record<string, unknown>).id).toBeUndefined();
  });
});

describe('cost', () => {
  it('visits each fragment once, however often it is spread (CVE-2025-32031)', () => {
    const depth = 60;
    const fragments = Array.from({ length: depth }, (_, index) =>
      index === depth - 1
        ? `fragment F${index} on Person { id email }`
        : `fragment F${index} on Person { a: friends { ...F${index + 1} } b: friends { ...F${index + 1} } }`,
    );
    // 2^59 paths if anything expanded them; the data ends after two steps.
    const { result } = run(`{ me { id ...F0 } } ${fragments.join(' ')}`, delegation(''));
    expect(result.data).toEqual({ me: { id: '1', a: null, b: null } });
    const denied = run(
      `{ me { ...G0 } } ${fragments.join(' ').replaceAll('F', 'G').replace('id email', 'email')}`,
      delegation(''),
    );
    expect(denied.executed).toBeUndefined();
    const keys = Array<string>(depth - 1)
      .fill('a')
      .join('.');
    expect(paths(denied.result)[0]).toBe(`me.${keys}.email Person.email`);
    expect(denied.result.errors).toHaveLength(21);
    expect(denied.result.errors?.at(-1)).toMatchObject({
      extensions: { code: 'ERRORS_OMITTED', omittedErrors: 1_000_000 - 20 },
    });
  });
});

describe('a supergraph', () => {
  it('stops the start if it has an unknown security feature', () => {
    const strange = sdl.replace(
      '@link(url: "https://specs.apollo.dev/link/v1.0")',
      '@link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://other.example/guard/v1.0", for: SECURITY)',
    );
    expect(() => createOperationAuthorizer(strange)).toThrow(SupergraphError);
    expect(() => createOperationAuthorizer(sdl.replace('authenticated/v0.1', 'authenticated/v0.2'))).toThrow(
      /v0.2/,
    );
    expect(() => createOperationAuthorizer('type Query { a: Int }')).toThrow(SupergraphError);
    expect(() => createOperationAuthorizer('type Query {')).toThrow(SupergraphError);
  });

  it('is passed on without the purposes that the gateway refuses', () => {
    expect(sdl).toContain('for: SECURITY');
    expect(authorizer.executableSdl).not.toContain('for: SECURITY');
    expect(authorizer.executableSdl).toContain('for: EXECUTION');
  });

  it('tells what each subgraph’s rules can require', () => {
    expect([...(authorizer.vocabularies.get('visits')?.scopes ?? [])].sort()).toEqual([
      'all',
      'place',
      'visits',
    ]);
    expect([...(authorizer.vocabularies.get('people')?.scopes ?? [])].sort()).toEqual([
      'email',
      'note',
      'pay',
      'phone',
      'phone:full',
      'robot',
      'secret',
      'tax',
      'total',
    ]);
    expect([...(authorizer.vocabularies.get('people')?.purposes ?? [])]).toEqual(['credit']);
  });
});

it('passes introspection', () => {
  const { result } = run('{ __schema { queryType { name } } me { email } }', delegation(''));
  expect(result.data).toEqual({ __schema: { queryType: { name: 'Query' } }, me: null });
  expect(graphqlSync({ schema: merged, source: '{ __typename }' }).data).toEqual({ __typename: 'Query' });
});
