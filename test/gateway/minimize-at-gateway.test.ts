import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { protectGateway } from '../../gateway/index.js';
import type { ProtectionOptions } from '../../gateway/options/protection-options.js';
import type { SubgraphOptions } from '../../gateway/propagate/subgraph-options.js';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import {
  ask as askAt,
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  listen,
  MemorySink,
  sendJson,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import type { Answer, Asking } from './support.js';

const LINKS = /* GraphQL */ `
  extend schema
    @link(
      url: "https://specs.apollo.dev/federation/v2.9"
      import: ["@key", "@external", "@requires", "@shareable"]
    )
    @link(
      url: "https://specs.behalf.dev/behalf/v0.1"
      import: ["@requiresScope", "@minimize", "@personalData", "@purpose", "@subject"]
    )
`;

const PEOPLE = /* GraphQL */ `
  ${LINKS}
  scalar Day

  type Query {
    fraud: Int @purpose(of: ["fraud"])
    people: [Person!]
    person(id: ID!): Person
    holders: [Holder]
    found: [Found]
    orders: [Order]
    total: Int @minimize(to: GENERALIZE, step: 100)
  }

  interface Holder {
    id: ID!
    salary: Int
    name: String
  }

  type Person implements Holder @key(fields: "id") {
    id: ID!
    name: String @minimize(to: REDACT, unless: [["name"]])
    nick: String! @minimize(to: REDACT)
    mail: String @minimize(to: MASK, form: EMAIL, first: 1)
    postcode: String
      @personalData(category: "location")
      @minimize(to: TRUNCATE, keep: 2, unless: [["place"]])
      @minimize(level: "none", to: REDACT)
    salary: Int @minimize(to: NOISE, spread: 500, step: 10)
    score: Float @minimize(to: NOISE, distribution: LAPLACE, scale: 5, step: 1)
    tags: [String!] @minimize(to: PSEUDONYMIZE)
    grid: [[Float]] @minimize(to: GENERALIZE, step: 0.5)
    born: Day @minimize(to: SHIFT, days: 30)
    year: Day @minimize(to: GENERALIZE, unit: YEAR)
    friend: Person
  }

  type Company implements Holder {
    id: ID!
    salary: Int
    name: String
  }

  type Order @subject(field: "customer", unless: [["orders:all"]]) {
    customer: ID!
    day: String @minimize(to: SHIFT, days: 100)
    amount: Int @minimize(to: NOISE, spread: 50)
  }

  union Found = Person | Company
`;

const PERKS = /* GraphQL */ `
  ${LINKS}
  type Person @key(fields: "id") {
    id: ID!
    salary: Int @external
    bonus: Int @requires(fields: "salary") @minimize(to: NOISE, spread: 500, step: 10)
  }
`;

type Row = Record<string, unknown>;
const person = (id: string): Row => ({
  __typename: 'Person',
  id,
  name: `Name of ${id}`,
  nick: `nick-${id}`,
  mail: 'ada.nowak@example.org',
  postcode: '8010',
  salary: 4_321,
  score: 12.5,
  tags: ['a', 'b', 'a'],
  grid: [[1.2, null], null, [7]],
  born: '1985-03-04',
  year: '1985-03-04',
  friend: id === 'c-1' ? person('c-2') : null,
});
function peopleResolvers() {
  const company = { __typename: 'Company', id: 'x', salary: 4_321, name: 'Company' };
  return {
    Query: {
      people: (): Row[] => [person('c-1'), person('c-2')],
      person: (_: unknown, { id }: { id: string }): Row => person(id),
      holders: () => [company, person('c-1'), null],
      found: () => [person('c-1'), company],
      orders: () => [{ customer: 'c-000001', day: '2024-05-06', amount: 77 }],
      total: () => 1_234,
    },
    Person: { __resolveReference: ({ id }: { id: string }): Row => person(id) },
  };
}
const perksResolvers = {
  Person: {
    __resolveReference: (row: Row) => row,
    // What the subgraph was given, so that the minimized input shows.
    bonus: ({ salary }: { salary?: number }) => salary ?? null,
  },
};

const KEY = randomBytes(32);
const AT_GATEWAY: SubgraphOptions = { minimizeAtGateway: true, pseudonymKey: KEY.toString('base64url') };

const cleanup = new Cleanup();
let issuer: TestIssuer;
let stock: TestSubgraph;

interface Started {
  readonly jwks: () => ReturnType<ReturnType<typeof protectGateway>['jwks']>;
  readonly log: TestLog;
  readonly sink: MemorySink;
  ask(query: string, asking?: Asking): Promise<Answer>;
}

async function startGateway(
  supergraphSdl: string,
  subgraphs: Readonly<Record<string, SubgraphOptions>>,
  more: Partial<ProtectionOptions> = {},
): Promise<Started> {
  const log = new TestLog();
  const sink = new MemorySink();
  const gateway = protectGateway(
    { supergraphSdl },
    {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      propagation: { issuer: 'http://gateway.example' },
      audit: { mode: 'best-effort', sink, anonymous: true },
      subgraphs,
      log,
      ...more,
    },
  );
  const apollo = new ApolloServer({ gateway, stopOnTerminationSignals: false, introspection: true });
  const { url } = await startStandaloneServer(apollo, { listen: { port: 0, host: '127.0.0.1' } });
  cleanup.add(() => apollo.stop());
  return { log, sink, jwks: () => gateway.jwks(), ask: (query, asking) => askAt(url, query, asking) };
}

let atGateway: Started;
let atSubgraph: Started;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  const keys = await freePort();
  const trust = { issuer: 'http://gateway.example', jwksUri: `http://127.0.0.1:${keys}/jwks` };
  const start = async (name: string, sdl: string, resolvers: object, isProtected: boolean) => {
    const subgraph = await TestSubgraph.start(name, isProtected ? trust : undefined, sdl, {
      resolvers: resolvers as never,
      ...(isProtected ? { pseudonymKey: KEY } : {}),
    });
    cleanup.add(() => subgraph.close());
    return subgraph;
  };
  stock = await start('people', PEOPLE, peopleResolvers(), false);
  const stockPerks = await start('perks', PERKS, perksResolvers, false);
  atGateway = await startGateway(compose(stock, stockPerks), { people: AT_GATEWAY });
  const people = await start('people', PEOPLE, peopleResolvers(), true);
  const perks = await start('perks', PERKS, perksResolvers, false);
  atSubgraph = await startGateway(compose(people, perks), {});
  const answerKeys = async (_request: unknown, response: ServerResponse): Promise<void> =>
    sendJson(response, 200, await atSubgraph.jwks());
  const jwks = await listen(answerKeys, keys);
  cleanup.add(() => jwks.close());
});
afterAll(() => cleanup.run());
beforeEach(() => {
  stock.requests.length = 0;
  stock.instead = undefined;
});

const ALL = 'name nick mail postcode salary score tags grid born year';
const QUERIES = [
  `{ people { id ${ALL} friend { ${ALL} } } total }`,
  `{ people { ${ALL} } }`,
  '{ person(id: "c-1") { a: salary b: salary bonus } }',
  '{ people { bonus } }',
  '{ holders { id salary name } }',
  '{ holders { ...H } } fragment H on Holder { salary ... on Person { born s: score } }',
  '{ found { ... on Person { salary tags __typename } ... on Company { id salary } } }',
  '{ found { ... on Holder { name salary } } }',
  '{ orders { day amount } }',
  'query($no: Boolean = false) { people { salary @include(if: $no) mail @skip(if: $no) } }',
];
const CALLERS: readonly (readonly [string, Row | undefined])[] = [
  ['an anonymous caller', undefined],
  ['a caller', {}],
  ['another client', { client_id: 'other-app' }],
  ['a caller with scopes', { scope: 'name place orders:all' }],
  ['another purpose', { consent: { id: 'c', version: 1, purposes: ['fraud'], detail: 'full' } }],
  [
    'a level',
    {
      scope: 'place',
      consent: { id: 'c', version: 1, purposes: [], detail: 'full', levels: { location: ['none'] } },
    },
  ],
  ['minimal detail', { scope: 'name', consent: { id: 'c', version: 1, purposes: [], detail: 'minimal' } }],
];

describe('a subgraph without the library', () => {
  it.each(CALLERS)('is minimized as with it, for %s', async (_who, claims) => {
    const token = claims === undefined ? undefined : await issuer.mint(claims);
    for (const query of QUERIES) {
      const [one, other] = await Promise.all([
        atGateway.ask(query, { token }),
        atSubgraph.ask(query, { token }),
      ]);
      expect([query, one.body.data]).toEqual([query, other.body.data]);
      expect(one.body.errors).toEqual(other.body.errors);
      expect(one.text).not.toContain('__behalf');
    }
  });

  it('gives no value whole', async () => {
    const token = await issuer.mint({});
    const { text } = await atGateway.ask(`{ people { ${ALL} bonus } total }`, { token });
    for (const whole of ['Name of', 'nick-c', 'nowak', '8010', '4321', '"a"', '1985-03-04', '1234', '1.2'])
      expect(text).not.toContain(whole);
  });

  it('gives the same noise whether or not the key is selected', async () => {
    const token = await issuer.mint({});
    const noise = async (query: string) => {
      const { body } = await atGateway.ask(query, { token });
      return (body.data?.['people'] as { salary: number }[]).map(({ salary }) => salary);
    };
    const [first, second] = await noise('{ people { salary } }');
    expect(await noise('{ people { id salary } }')).toEqual([first, second]);
    expect(first).not.toBe(second);
  });

  it('is sent an unchanged operation where nothing is minimized', async () => {
    await atGateway.ask('{ people { id } }');
    expect(stock.queries).not.toContain('__behalf');
    await atGateway.ask('{ people { salary } }');
    expect(stock.queries).toContain('__behalf_own_id: id');
  });

  it('is on record: at the gateway what was minimized, and what it was asked for', async () => {
    atGateway.sink.records.length = 0;
    await atGateway.ask('{ people { name salary } }', { token: await issuer.mint({}) });
    const [record] = atGateway.sink.records;
    expect(record?.fields).toEqual(
      expect.arrayContaining([
        { coordinate: 'Person.name', decision: 'minimized', count: 2, strategy: 'REDACT' },
        { coordinate: 'Person.salary', decision: 'minimized', count: 2, strategy: 'NOISE' },
        { coordinate: 'Person.salary', decision: 'asked', subgraph: 'people' },
      ]),
    );
    expect(record?.unaccounted).toEqual(['people']);
    expect(atGateway.log.of('SUBGRAPH_UNPROTECTED')).toContainEqual({
      subgraph: 'people',
      reason: 'NO_ACCOUNT',
      minimizedAtGateway: true,
    });
  });

  it('is not changed in shadow mode, and recorded as it would be', async () => {
    const shadow = await startGateway(
      compose(stock),
      { people: AT_GATEWAY },
      { authorization: { mode: 'shadow' } },
    );
    const { body } = await shadow.ask('{ people { name } }', { token: await issuer.mint({}) });
    expect(body.data).toEqual({ people: [{ name: 'Name of c-1' }, { name: 'Name of c-2' }] });
    expect(stock.queries).not.toContain('__behalf');
    expect(shadow.sink.records[0]?.fields).toContainEqual({
      coordinate: 'Person.name',
      decision: 'would-minimize',
      count: 2,
      strategy: 'REDACT',
    });
  });

  it('that returns facts is not minimized twice', async () => {
    stock.instead = (_request, response) =>
      sendJson(response, 200, {
        data: { people: [{ mail: 'a***@example.org' }] },
        extensions: { behalf: { v: 1, fields: [['Person.mail', 'minimized', 1]] } },
      });
    const token = await issuer.mint({});
    expect((await atGateway.ask('{ people { mail } }', { token })).body.data).toEqual({
      people: [{ mail: 'a***@example.org' }],
    });
    expect(atGateway.log.of('SUBGRAPH_MINIMIZES')).toEqual([{ subgraph: 'people' }]);
  });

  it('in the shadow mode of its library is minimized', async () => {
    stock.instead = (_request, response) =>
      sendJson(response, 200, {
        data: { people: [{ mail: 'ada@example.org' }] },
        extensions: { behalf: { v: 1, fields: [['Person.mail', 'would-minimize', 1]] } },
      });
    const { body } = await atGateway.ask('{ people { mail } }', { token: await issuer.mint({}) });
    expect(body.data).toEqual({ people: [{ mail: 'a***@example.org' }] });
  });
});

describe('a hostile answer', () => {
  const SECRET = 'a-whole-value-that-nobody-may-see';
  const answer = (data: unknown, query: string, errors?: unknown): Promise<Answer> => {
    stock.instead = (_request, response) => sendJson(response, 200, { data, errors });
    return atGateway.ask(query);
  };

  it.each<[string, string, unknown]>([
    ['an object for a text', '{ people { mail } }', { people: [{ mail: { value: SECRET } }] }],
    ['a list for a text', '{ people { mail } }', { people: [{ mail: [SECRET] }] }],
    ['a text for a number', '{ people { salary } }', { people: [{ salary: SECRET }] }],
    ['a text for a list', '{ people { tags } }', { people: [{ tags: SECRET }] }],
    ['a deeper list', '{ people { tags } }', { people: [{ tags: [[SECRET]] }] }],
    ['a deeper list of objects', '{ people { mail } }', { people: [[{ mail: SECRET }]] }],
    ['an object for a list of objects', '{ people { mail } }', { people: { mail: SECRET } }],
    ['what is no date', '{ people { year born } }', { people: [{ year: SECRET, born: { SECRET } }] }],
    ['no type on an interface', '{ holders { name } }', { holders: [{ name: SECRET }] }],
    [
      'a type that is not of the interface',
      '{ holders { name } }',
      { holders: [{ __behalf_own___typename: 'Query', __typename: 'Query', name: SECRET }] },
    ],
    [
      'two types',
      '{ found { __typename ... on Person { mail } } }',
      { found: [{ __behalf_own___typename: 'Company', __typename: 'Person', mail: SECRET }] },
    ],
    [
      'a member that nobody requested',
      '{ people { mail } }',
      { people: [{ mail: 'a@b.example', __behalf_own_id: SECRET, other: SECRET }] },
    ],
  ])('with %s becomes null', async (_what, query, data) => {
    expect((await answer(data, query)).text).not.toContain(SECRET);
  });

  it('is logged with the field, and without the value', async () => {
    await answer({ people: [{ mail: { value: SECRET } }] }, '{ people { mail } }');
    await answer({ holders: [{ name: SECRET }] }, '{ holders { name } }');
    const logged = atGateway.log.of('SUBGRAPH_VALUE_NOT_MINIMIZED');
    expect(logged).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ subgraph: 'people', at: 'Person.mail' }),
        expect.objectContaining({ subgraph: 'people', at: 'Holder' }),
      ]),
    );
    expect(JSON.stringify(atGateway.log.entries)).not.toContain(SECRET);
  });

  it('has no error whose text reaches a client from a minimized field', async () => {
    const errors = [
      { message: SECRET, path: ['people', 0, 'mail'], extensions: { code: 'BAD_USER_INPUT' } },
      { message: SECRET, path: ['total'], extensions: { code: 'BAD_USER_INPUT' } },
    ];
    const data = { people: [{ mail: null }], total: null };
    expect((await answer(data, '{ people { mail } total }', errors)).text).not.toContain(SECRET);
  });
});

describe('what cannot be minimized at the gateway', () => {
  const refusal = async (
    subgraphs: Readonly<Record<string, SubgraphOptions>>,
    sdl = PEOPLE,
    perks = PERKS,
  ): Promise<unknown> => {
    const url = 'http://127.0.0.1:9/graphql';
    const others = [{ name: 'perks', url, sdl: perks }];
    return startGateway(compose({ name: 'people', url, sdl }, ...others), subgraphs).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : error),
    );
  };

  it('stops the start: a strategy without its key', async () => {
    expect(await refusal({ people: { minimizeAtGateway: true } })).toMatch(
      /subgraphs\.people\.pseudonymKey: is missing: Order\.day is SHIFT/,
    );
  });

  it('stops the start: a key by which subgraphs join objects', async () => {
    const sdl = PEOPLE.replace(
      'type Person implements Holder @key(fields: "id") {\n    id: ID!',
      'type Person implements Holder @key(fields: "id") {\n    id: ID! @minimize(to: PSEUDONYMIZE)',
    );
    const perks = PERKS.replace('id: ID!', 'id: ID! @minimize(to: PSEUDONYMIZE)');
    expect(await refusal({ people: AT_GATEWAY }, sdl, perks)).toContain(
      'subgraphs.people.minimizeAtGateway: cannot minimize Person.id: it is part of a @key',
    );
  });

  it.each<[string, SubgraphOptions]>([
    ['is used with minimizeAtGateway: true only', { pseudonymKey: KEY.toString('base64url') }],
    ['must be at least 32 bytes in base64url', { minimizeAtGateway: true, pseudonymKey: 'c2hvcnQ' }],
  ])('stops the start: a pseudonymKey that %s', async (problem, options) => {
    expect(await refusal({ people: options })).toContain(`subgraphs.people.pseudonymKey: ${problem}`);
  });
});
