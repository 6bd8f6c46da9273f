import { ApolloServer } from '@apollo/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { protectGateway } from '../../gateway/index.js';
import { AUDIENCE, bodyOf, Cleanup, codes, listen, send, startTestGateway, TestIssuer } from './support.js';
import type { Answer, Listening, TestGateway } from './support.js';

/** 2^53 + 1, which a double rounds to its neighbour: another person. */
const RIGHT = '9007199254740993';
const WRONG = '9007199254740992';
const JSON_TYPE = { 'content-type': 'application/json' };

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])`;
const OWNERS = `${LINK}
  scalar Long
  scalar JSON
  type Query {
    person: Person
    people: [Person]
    item: Item
    id: ID
    int: Int
    float: Float
    long: Long
    json: JSON
    text: String
    byId(id: ID, ids: [ID!], in: In): Person
    byLong(n: Long, in: In, json: JSON): Person
    byFloat(x: Float): Person
  }
  input In { id: ID n: Long x: Float child: In ids: [ID] }
  type Person @key(fields: "id") { id: ID! }
  type Item @key(fields: "n") { n: Long! }`;
const NAMES = `${LINK}
  scalar Long
  type Person @key(fields: "id") { id: ID! name: String }
  type Item @key(fields: "n") { n: Long! name: String }`;

/** A subgraph that writes JSON by hand: JSON.stringify would round first. */
class RawSubgraph {
  readonly bodies: string[] = [];
  answer: (body: string) => string = () => '{"data":{}}';

  private constructor(readonly listening: Listening) {}

  static async start(): Promise<RawSubgraph> {
    const listening = await listen(async (request, response) => {
      const body = await bodyOf(request);
      subgraph.bodies.push(body);
      response.setHeader('content-type', 'application/json');
      response.end(subgraph.answer(body));
    });
    const subgraph = new RawSubgraph(listening);
    return subgraph;
  }
}

const cleanup = new Cleanup();
let owners: RawSubgraph;
let names: RawSubgraph;
let supergraph: string;
let gateway: TestGateway;
let issuer: TestIssuer;

beforeAll(async () => {
  owners = await RawSubgraph.start();
  names = await RawSubgraph.start();
  issuer = await TestIssuer.start();
  for (const each of [owners.listening, names.listening, issuer]) cleanup.add(() => each.close());
  supergraph = composeSupergraph([
    { name: 'owners', url: owners.listening.url, sdl: OWNERS },
    { name: 'names', url: names.listening.url, sdl: NAMES },
  ]);
  gateway = await startTestGateway(cleanup, supergraph, {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    http: { get: true, batch: {} },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  owners.bodies.length = 0;
  names.bodies.length = 0;
  owners.answer = () => '{"data":{"byId":{"id":"p"},"byLong":{"id":"p"},"byFloat":{"id":"p"}}}';
  // Looks entities up by their key's text, like a subgraph with 64-bit integers.
  names.answer = (body) => {
    const keys = [...body.matchAll(/"(?:id|n)":("?)([^",}]+)\1[,}]/g)].map(([, , key]) => key);
    const entities = keys.map(
      (key) => `{"name":${key === RIGHT ? '"right"' : key === WRONG ? '"wrong"' : 'null'}}`,
    );
    return `{"data":{"_entities":[${entities.join(',')}]}}`;
  };
});

const ask = (query: string): Promise<Answer> => gateway.ask(query);
/** Sends hand-written variables. */
const askRaw = (query: string, variables: string): Promise<Answer> =>
  send(`${gateway.url}/graphql`, `{"query":${JSON.stringify(query)},"variables":${variables}}`, JSON_TYPE);

describe('an entity whose key is beyond 2^53', () => {
  it.each([
    [
      'itself',
      '{ person { id name } }',
      `{"person":{"__typename":"Person","id":${RIGHT}}}`,
      { person: { id: RIGHT, name: 'right' } },
    ],
    [
      'in a list beside its neighbour',
      '{ people { id name } }',
      `{"people":[{"__typename":"Person","id":${RIGHT}},{"__typename":"Person","id":${WRONG}}]}`,
      {
        people: [
          { id: RIGHT, name: 'right' },
          { id: WRONG, name: 'wrong' },
        ],
      },
    ],
    [
      'under an alias',
      '{ a: person { b: id name } }',
      `{"a":{"__typename":"Person","b":${RIGHT},"id":${RIGHT}}}`,
      { a: { b: RIGHT, name: 'right' } },
    ],
    [
      'without the key being selected',
      '{ person { name } }',
      `{"person":{"__typename":"Person","id":${RIGHT}}}`,
      { person: { name: 'right' } },
    ],
    [
      'as an exponent',
      '{ person { name } }',
      `{"person":{"__typename":"Person","id":9.007199254740993e15}}`,
      { person: { name: 'right' } },
    ],
    [
      'with a fraction of zeros',
      '{ person { name } }',
      `{"person":{"__typename":"Person","id":${RIGHT}.000}}`,
      { person: { name: 'right' } },
    ],
    [
      'by a scalar of the schema’s own',
      '{ item { n name } }',
      `{"item":{"__typename":"Item","n":${RIGHT}}}`,
      { item: { n: RIGHT, name: 'right' } },
    ],
    [
      'as a string, as ever',
      '{ person { id name } }',
      `{"person":{"__typename":"Person","id":"${RIGHT}"}}`,
      { person: { id: RIGHT, name: 'right' } },
    ],
  ])('joins the right data: %s', async (_case, query, data, expected) => {
    owners.answer = () => `{"data":${data}}`;
    const answer = await ask(query);
    expect(answer.body).toEqual({ data: expected });
  });

  it.each([
    ['a fraction', '9007199254740993.5'],
    ['beyond all numbers', '1e400'],
    ['too small', '1e-400'],
  ])('is not joined if the key is not an identifier: %s', async (_case, key) => {
    owners.answer = () =>
      `{"data":{"people":[{"__typename":"Person","id":${key}},{"__typename":"Person","id":"1"}]}}`;
    const answer = await ask('{ people { id name } }');
    expect(answer.body.data).toEqual({ people: [null, { id: '1', name: null }] });
    expect(answer.body.errors).toMatchObject([{ path: ['people', 0, 'id'] }]);
    expect(names.bodies.join()).not.toMatch(/Infinity|null|900719/);
    expect(answer.text).not.toContain(key);
  });
});

describe('a number in an answer', () => {
  it.each([
    ['id', RIGHT, RIGHT],
    ['id', '-9007199254740993', '-9007199254740993'],
    ['id', '12345678901234567e3', '12345678901234567000'],
    ['id', '18446744073709551615', '18446744073709551615'],
    ['long', RIGHT, RIGHT],
    ['long', WRONG, 9007199254740992],
    ['long', '0.1234567890123456789', '0.1234567890123456789'],
    ['float', '0.1234567890123456789', 0.12345678901234568],
    ['float', '12345678901234567890', 12345678901234567000],
    ['float', '1.0E-5', 0.00001],
    ['int', '42', 42],
    ['text', '"9007199254740993 [9007199254740993"', '9007199254740993 [9007199254740993'],
    [
      'json',
      `{"a":[${RIGHT},0.1],"__proto__":{"b":${RIGHT}}}`,
      JSON.parse(`{"a":["${RIGHT}",0.1],"__proto__":{"b":"${RIGHT}"}}`),
    ],
  ])('%s: %s arrives exactly', async (field, sent, expected) => {
    owners.answer = () => `{"data":{"${field}":${sent}}}`;
    const answer = await ask(`{ ${field} }`);
    expect(answer.body.errors).toBeUndefined();
    expect(answer.body.data?.[field]).toStrictEqual(expected);
  });

  it.each([
    ['int', RIGHT],
    ['text', RIGHT],
    ['id', '1.12345678901234567'],
    ['float', '1e400'],
  ])('%s: %s is an error at its position', async (field, sent) => {
    owners.answer = () => `{"data":{"${field}":${sent},"unasked":"x"}}`;
    const answer = await ask(`{ ${field} }`);
    expect(answer.body.data).toEqual({ [field]: null });
    expect(answer.body.errors).toMatchObject([{ path: [field] }]);
    expect(answer.text).not.toContain(sent);
  });

  it.each([
    '9007199254740993',
    '{"data":9007199254740993}',
    '{"data":{},"extensions":9007199254740993}',
    '{9007199254740993:1}',
    '[1,',
  ])('in place of a response is invalid: %s', async (text) => {
    owners.answer = () => text;
    expect(codes(await ask('{ id }'))).toEqual(['SUBREQUEST_MALFORMED_RESPONSE']);
  });

  it('nested a hundred thousand deep does not crash the gateway', async () => {
    owners.answer = () => `{"data":{"json":${'['.repeat(100_000)}${RIGHT}${']'.repeat(100_000)}}}`;
    await ask('{ json }');
    owners.answer = () => `{"data":{"id":${RIGHT}}}`;
    expect((await ask('{ id }')).body).toEqual({ data: { id: RIGHT } });
  });
});

describe('a number from the client', () => {
  it.each([
    ['an ID', 'query($v: ID) { byId(id: $v) { id } }', `{"v":${RIGHT}}`, `"v":"${RIGHT}"`],
    [
      'IDs in a list',
      'query($v: [ID!]) { byId(ids: $v) { id } }',
      `{"v":[${RIGHT},1]}`,
      `"v":["${RIGHT}",1]`,
    ],
    [
      'one ID where a list is meant',
      'query($v: [ID!]) { byId(ids: $v) { id } }',
      `{"v":${RIGHT}}`,
      `"v":"${RIGHT}"`,
    ],
    [
      'an ID deep in an input',
      'query($v: In) { byId(in: $v) { id } }',
      `{"v":{"child":{"child":{"id":${RIGHT},"ids":[${RIGHT}]}}}}`,
      `{"child":{"child":{"id":"${RIGHT}","ids":["${RIGHT}"]}}}`,
    ],
    [
      'a scalar of the schema’s own',
      'query($v: Long) { byLong(n: $v) { id } }',
      `{"v":${RIGHT}}`,
      `"v":"${RIGHT}"`,
    ],
    [
      'one that a double can hold',
      'query($v: Long) { byLong(n: $v) { id } }',
      `{"v":${WRONG}}`,
      `"v":${WRONG}`,
    ],
    [
      'within a scalar',
      'query($v: JSON) { byLong(json: $v) { id } }',
      `{"v":{"a":[${RIGHT}]}}`,
      `"v":{"a":["${RIGHT}"]}`,
    ],
    [
      'a Float',
      'query($v: Float) { byFloat(x: $v) { id } }',
      `{"v":12345678901234567890}`,
      `"v":12345678901234567000`,
    ],
    [
      'beside one that is left out',
      'query($v: Long, $w: Float! = 1.5) { byLong(n: $v) { id } byFloat(x: $w) { id } }',
      `{"v":${RIGHT}}`,
      `$w:Float!=1.5`,
    ],
    ['a string', 'query($v: ID) { byId(id: $v) { id } }', `{"v":"${RIGHT}"}`, `"v":"${RIGHT}"`],
  ])('as a variable reaches the subgraph exactly: %s', async (_case, query, variables, sent) => {
    const answer = await askRaw(query, variables);
    expect(answer.body.errors).toBeUndefined();
    expect(owners.bodies).toHaveLength(1);
    expect(owners.bodies[0]).toContain(sent);
  });

  it.each([
    ['an ID that is a fraction', 'query($v: ID) { byId(id: $v) { id } }', '{"v":9007199254740993.5}'],
    ['an ID beyond all numbers', 'query($v: ID) { byId(id: $v) { id } }', '{"v":1e400}'],
    [
      'an Int',
      'query($v: Int) { int @include(if: true) byFloat(x: 1) { id } a: byId(id: $v) { id } }',
      `{"v":${RIGHT}}`,
    ],
    ['a Float beyond all numbers', 'query($v: Float) { byFloat(x: $v) { id } }', '{"v":1e400}'],
    ['an input', 'query($v: In) { byId(in: $v) { id } }', `{"v":${RIGHT}}`],
    ['variables that are a number', 'query($v: ID) { byId(id: $v) { id } }', RIGHT],
    [
      'an input nested too deeply',
      'query($v: In) { byId(in: $v) { id } }',
      `{"v":${'{"child":'.repeat(5_000)}{"id":${RIGHT}}${'}'.repeat(5_000)}}`,
    ],
  ])('beyond every type is refused: %s', async (_case, query, variables) => {
    const answer = await askRaw(query, variables);
    expect(answer.status).toBe(400);
    expect(owners.bodies).toEqual([]);
    expect(answer.text).not.toContain('9007');
  });

  it.each([
    ['an ID', `{ byId(id: ${RIGHT}) { id } }`, `byId(id:${RIGHT})`],
    ['an ID in an input', `{ byId(in: {child: {ids: [${RIGHT}]}}) { id } }`, RIGHT],
    ['a scalar of the schema’s own', `{ byLong(n: ${RIGHT}) { id } }`, `byLong(n:"${RIGHT}")`],
    ['a decimal', '{ byLong(n: 123456789.123456789) { id } }', 'byLong(n:"123456789.123456789")'],
    ['in an input', `{ byLong(in: {child: {n: -${RIGHT}}}) { id } }`, `n:"-${RIGHT}"`],
    ['within a scalar', `{ byLong(json: {a: [1, {b: ${RIGHT}}]}) { id } }`, `b:"${RIGHT}"`],
    ['in a list that is a scalar', `{ byLong(json: ["a"${RIGHT}]) { id } }`, `"${RIGHT}"`],
    ['a default', `query($v: Long = ${RIGHT}) { byLong(n: $v) { id } }`, `"${RIGHT}"`],
  ])('as a literal reaches the subgraph exactly: %s', async (_case, query, sent) => {
    const answer = await ask(query);
    expect(answer.body.errors).toBeUndefined();
    const [body = '{}'] = owners.bodies;
    const { query: asked } = JSON.parse(body) as { query: string };
    expect(asked.replace(/\s*([:,(){}[\]])\s*/g, '$1')).toContain(sent);
    expect(asked).not.toContain(WRONG);
  });

  it('reaches it from a batch, too', async () => {
    const query = JSON.stringify('query($v: ID) { byId(id: $v) { id } }');
    const operation = `{"query":${query},"variables":{"v":${RIGHT}}}`;
    await send(`${gateway.url}/graphql`, `[${operation},${operation}]`, JSON_TYPE);
    expect(owners.bodies).toHaveLength(2);
    for (const body of owners.bodies) expect(body).toContain(`"v":"${RIGHT}"`);
  });

  it.each([
    ['ID', 'byId(id: $v)', 400],
    ['Long', 'byLong(n: $v)', 400],
    ['Float', 'byFloat(x: $v)', 200],
  ])('that another parser may have rounded is refused as %s', async (type, field, status) => {
    const query = encodeURIComponent(`query($v: ${type}) { ${field} { id } }`);
    const variables = encodeURIComponent(`{"v":${RIGHT}}`);
    const get = await send(
      `${gateway.url}/graphql?query=${query}&variables=${variables}`,
      '',
      { 'apollo-require-preflight': 'yes' },
      'GET',
    );
    expect(get.status).toBe(status);
    if (status === 400) {
      expect(codes(get)).toEqual(['NUMBER_NOT_EXACT']);
      expect(owners.bodies).toEqual([]);
    }
  });

  it('is exact or an error around an existing Apollo Server, too', async () => {
    const own = protectGateway(
      { supergraphSdl: supergraph },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'https://gateway.example' },
      },
    );
    const server = new ApolloServer({ gateway: own, stopOnTerminationSignals: false });
    cleanup.add(() => server.stop());
    await server.start();
    const run = async (
      variables: Record<string, unknown>,
      query = 'query($v: ID) { byId(id: $v) { id } }',
    ) => {
      const { body } = await server.executeOperation({ query, variables });
      return body.kind === 'single' ? body.singleResult : undefined;
    };
    // The value that JSON.parse makes of RIGHT.
    expect(await run({ v: Number(RIGHT) })).toMatchObject({
      errors: [{ extensions: { code: 'NUMBER_NOT_EXACT' } }],
    });
    expect(await run({ v: RIGHT })).toMatchObject({ data: { byId: { id: 'p' } } });
    for (const v of [{ a: Number(RIGHT) }, [[-Number(RIGHT)]]]) {
      expect(await run({ v }, 'query($v: JSON) { byLong(json: $v) { id } }')).toMatchObject({
        errors: [{ extensions: { code: 'NUMBER_NOT_EXACT' } }],
      });
    }
    owners.answer = () => `{"data":{"person":{"__typename":"Person","id":${RIGHT}}}}`;
    const { body } = await server.executeOperation({ query: '{ person { id name } }' });
    expect(JSON.stringify(body)).toContain(`"id":"${RIGHT}"`);
    expect(JSON.stringify(body)).toContain('right');
  });
});
