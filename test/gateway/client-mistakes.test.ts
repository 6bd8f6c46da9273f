import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { protectGateway } from '../../gateway/index.js';
import {
  ask,
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import { lastRecord } from '../support/audit-file.js';
import type { Answer, TestGateway } from './support.js';

const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope"])
directive @note(must: String! = "m", size: Size, secret: Secret) repeatable on
  QUERY | FIELD | FRAGMENT_DEFINITION | FRAGMENT_SPREAD | INLINE_FRAGMENT
input Size { wide: Float must: String! = "m" }
input Secret { text: String }`;
const PEOPLE = `${LINK}
type Query { me: Person hello(must: String! = "d", sizes: [Size!], wide: Float, wides: [Float], tags: [Int!]): String }
type Mutation { touch(must: String! = "d"): String }
type Person @key(fields: "id") { id: ID! name: String birthday: String @requiresScope(scope: "birthday") }`;
const CITIES = `${LINK}
type Person @key(fields: "id") { id: ID! city(of: String, must: String! = "d"): String }`;

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let cities: TestSubgraph;
let gateway: TestGateway;
let auditFile: string;
let token: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-mistakes-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  auditFile = join(folder, 'audit.jsonl');
  issuer = await TestIssuer.start();
  token = await issuer.mint({ scope: '' });
  people = await TestSubgraph.start('people', undefined, PEOPLE, {
    resolvers: {
      Query: { me: () => ({ id: 'p', name: 'Ada' }), hello: () => 'hello' },
      Mutation: { touch: () => 'touched' },
      Person: { __resolveReference: () => ({ id: 'p', name: 'Ada' }) },
    },
  });
  cities = await TestSubgraph.start('cities', undefined, CITIES, {
    resolvers: {
      Person: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        city: (_source: unknown, { of = 'Vienna' }: { of?: string }) => of,
      },
    },
  });
  for (const each of [issuer, people, cities]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people, cities), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    audit: { mode: 'required', file: auditFile, pseudonymKey: Buffer.alloc(32, 7).toString('base64url') },
    introspection: 'granted',
    http: { batch: {} },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
  cities.requests.length = 0;
  gateway.log.entries.length = 0;
});

/** 400 with this code, on record as refused; no subgraph was asked, and the client wrote nothing into the log. */
async function expectRefused(answer: Answer, code: string, reason = code): Promise<void> {
  expect(answer.status).toBe(400);
  expect(codes(answer)).toEqual([code]);
  expect(answer.body).not.toHaveProperty('data');
  expect([...people.requests, ...cities.requests]).toEqual([]);
  expect(gateway.log.entries).toEqual([]);
  expect(await lastRecord(auditFile)).toMatchObject({ outcome: 'refused', reason });
}

const IF = 'Argument "if" of non-null type "Boolean!" must not be null.';
const MUST = 'Argument "must" of non-null type "String!" must not be null.';

describe('a variable that is null where null may not stand is refused', () => {
  it.each([
    ['@skip', 'query ($v: Boolean = true) { hello @skip(if: $v) }', IF],
    ['@include', 'query ($v: Boolean = true) { hello @include(if: $v) }', IF],
    ['a mutation', 'mutation ($v: Boolean = true) { touch @skip(if: $v) }', IF],
    [
      'a spread',
      'query ($v: Boolean = true) { hello ...F @skip(if: $v) } fragment F on Query { b: hello }',
      IF,
    ],
    ['an inline fragment', 'query ($v: Boolean = true) { hello ... @include(if: $v) { b: hello } }', IF],
    ['in a fragment', 'query ($v: Boolean = true) { ...F } fragment F on Query { hello @skip(if: $v) }', IF],
    ['__typename', 'query ($v: Boolean = true) { __typename @skip(if: $v) }', IF],
    ['below a field', 'query ($v: Boolean = true) { me { name @skip(if: $v) } hello }', IF],
    ['of another subgraph', 'query ($v: Boolean = true) { me { name city @include(if: $v) } }', IF],
    ['on a denied field', 'query ($v: Boolean = true) { me { birthday @skip(if: $v) name } }', IF],
    [
      'in a skipped field',
      'query ($v: Boolean = true) { hello me @skip(if: true) { id @skip(if: $v) } }',
      IF,
    ],
    ['an argument', 'query ($v: String = "x") { hello(must: $v) }', MUST],
    ['an argument with a default', 'query ($v: String) { hello(must: $v) }', MUST],
    ['of a mutation', 'mutation ($v: String = "x") { touch(must: $v) }', MUST],
    ['of another subgraph’s field', 'query ($v: String = "x") { me { city(must: $v) } }', MUST],
    ['a directive of the schema', 'query ($v: String = "x") { hello @note(must: $v) }', MUST],
    ['on the operation', 'query ($v: String = "x") @note(must: $v) { hello }', MUST],
    [
      'on a fragment',
      'query ($v: String = "x") { ...F } fragment F on Query @note(must: $v) { hello }',
      MUST,
    ],
    [
      'an input field',
      'query ($v: String = "x") { hello(sizes: [{ must: $v }]) }',
      'Input field "must" of non-null type "String!" must not be null.',
    ],
    [
      'a list entry',
      'query ($v: Int = 1) { hello(tags: [1, $v]) }',
      'List entry of non-null type "Int!" must not be null.',
    ],
    [
      'an object in a list',
      'query ($v: Size = {wide: 1}) { hello(sizes: [$v]) }',
      'List entry of non-null type "Size!" must not be null.',
    ],
  ])('%s', async (_place, query, message) => {
    const answer = await gateway.ask(query, { variables: { v: null } });
    expect(answer.body.errors?.[0]?.message).toBe(message);
    await expectRefused(answer, 'BAD_USER_INPUT', 'OPERATION_INVALID');
  });

  it('by introspection', async () => {
    const query = 'query ($v: String = "x") { __type(name: $v) { name } }';
    await expectRefused(
      await gateway.ask(query, { token, variables: { v: null } }),
      'BAD_USER_INPUT',
      'OPERATION_INVALID',
    );
  });

  it('by a default of null, and under the name of an inherited member', async () => {
    const byDefault = await gateway.ask('query ($v: String = null) { hello(must: $v) }');
    await expectRefused(byDefault, 'BAD_USER_INPUT', 'OPERATION_INVALID');
    const body = `{"query":"query($__proto__: Boolean = true) { hello @skip(if: $__proto__) }","variables":{"__proto__":null}}`;
    const answer = await send(`${gateway.url}/graphql`, body, { 'content-type': 'application/json' });
    await expectRefused(answer, 'BAD_USER_INPUT', 'OPERATION_INVALID');
  });

  it('each in a batch by itself', async () => {
    const body = JSON.stringify([
      { query: 'query ($v: Boolean = true) { hello @skip(if: $v) }', variables: { v: null } },
      { query: '{ hello }' },
    ]);
    const answer = await send(`${gateway.url}/graphql`, body, { 'content-type': 'application/json' });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('BAD_USER_INPUT');
    expect(answer.text).toContain('{"data":{"hello":"hello"}}');
  });
});

describe('a variable that is null is accepted', () => {
  it.each([
    ['where null may stand', 'query ($v: String = "x") { me { city(of: $v) } }', { me: { city: null } }],
    [
      'where nothing is read',
      'query ($v: String = "x") { me { name } hello(must: $v) @skip(if: true) }',
      { me: { name: 'Ada' } },
    ],
    [
      'in a fragment that is not spread',
      'query ($v: String = "x") { ...F @include(if: false) me { name } } fragment F on Query { hello(must: $v) }',
      { me: { name: 'Ada' } },
    ],
  ])('%s', async (_place, query, data) => {
    expect((await gateway.ask(query, { variables: { v: null } })).body).toEqual({ data });
  });

  it('by another operation of the document', async () => {
    const query = 'query A ($v: Boolean = true) { hello @skip(if: $v) } query B { hello }';
    const answer = await gateway.ask(query, { operationName: 'B', variables: { v: null } });
    expect(answer.body).toEqual({ data: { hello: 'hello' } });
  });

  it('but not a missing one with a default', async () => {
    const answer = await gateway.ask('query ($v: String) { hello(must: $v) }', { variables: {} });
    expect(answer.body).toEqual({ data: { hello: 'hello' } });
  });
});

describe('a Float that is larger than a double is refused', () => {
  it.each([
    ['as a literal', '{ hello(wide: 1e400) }'],
    ['below zero', '{ hello(wide: -1e400) }'],
    ['in plain digits', `{ hello(wide: ${'9'.repeat(400)}) }`],
    ['just above the largest', '{ hello(wide: 1.8e308) }'],
    ['as a default', 'query ($v: Float = 1e400) { hello(wide: $v) }'],
    ['in a list', '{ hello(wides: [1, 1e400]) }'],
    ['in a list as a default', 'query ($v: [Float] = [1e400]) { hello(wides: $v) }'],
    ['in an input object', '{ hello(sizes: [{ wide: 1e400 }]) }'],
    ['in a directive', 'query @note(size: { wide: 1e400 }) { hello }'],
    ['in a fragment', '{ ...F } fragment F on Query { hello(wide: 1e400) }'],
    ['below a field that is denied', '{ me { birthday @note(size: { wide: 1e400 }) } }'],
  ])('%s', async (_place, query) => {
    const answer = await gateway.ask(query);
    expect(answer.body.errors?.[0]?.message).toMatch(/^The operation has a Float at line 1, column \d+ that/);
    await expectRefused(answer, 'NUMBER_NOT_EXACT');
  });

  it('unless another operation of the document has it', async () => {
    const query = 'query A { hello(wide: 1e400) } query B { hello }';
    expect((await gateway.ask(query, { operationName: 'B' })).body).toEqual({ data: { hello: 'hello' } });
  });

  it.each(['1e308', '1e-400', '-1.7976931348623157e308', '9'.repeat(300)])('but not %s', async (literal) => {
    expect((await gateway.ask(`{ hello(wide: ${literal}) }`)).body).toEqual({ data: { hello: 'hello' } });
  });
});

describe('names and types that only the gateway has a use for', () => {
  it.each([
    ['given', 'query ($representations: String) { me { city(of: $representations) } }', 'Graz'],
    ['by default', 'query ($representations: String = "Linz") { me { city(of: $representations) } }', 'Linz'],
    [
      'beside a similar one',
      'query ($representations: String, $representations_: Boolean!) { me { city(of: $representations) @include(if: $representations_) } }',
      'Graz',
    ],
  ])('a variable has the name of the planner’s own: %s', async (_case, query, city) => {
    const variables =
      city === 'Linz'
        ? {}
        : { representations: city, ...(query.includes('_:') && { representations_: true }) };
    const answer = await gateway.ask(query, { variables });
    expect(answer.body).toEqual({ data: { me: { city } } });
    expect(gateway.log.codes()).not.toContain('INTERNAL_SERVER_ERROR');
  });

  it.each([
    'query ($v: Secret) @note(secret: $v) { __schema { queryType { name } } }',
    'query ($v: Secret) { __schema @note(secret: $v) { queryType { name } } }',
    'query ($v: Secret) { __schema { ...F } } fragment F on __Schema @note(secret: $v) { queryType { name } }',
  ])('introspection is asked for with an input type that the caller does not see: %s', async (query) => {
    const answer = await gateway.ask(query, { token, variables: { v: { text: 'x' } } });
    expect(answer.body).toEqual({ data: { __schema: { queryType: { name: 'Query' } } } });
  });
});

describe('mistakes in variables write nothing into the log', () => {
  it.each([
    ['a missing one', 'query ($v: Int!) { hello(tags: [$v]) }', {}],
    ['null', 'query ($v: Int!) { hello(tags: [$v]) }', { v: null }],
    ['another type', 'query ($v: Float) { hello(wide: $v) }', { v: 'x' }],
    [
      'an unknown member',
      'query ($v: Size) { hello(sizes: [{wide: 1}]) @note(size: $v) }',
      { v: { tall: 1 } },
    ],
  ])('%s', async (_case, query, variables) => {
    await expectRefused(await gateway.ask(query, { variables }), 'BAD_USER_INPUT', 'OPERATION_INVALID');
  });

  it('even a thousand of them, of which fifty are told', async () => {
    const v = Array.from({ length: 1_000 }, () => 'x');
    const answer = await gateway.ask('query ($v: [Int!]) { hello(tags: $v) }', { variables: { v } });
    expect(new Set(codes(answer))).toEqual(new Set(['BAD_USER_INPUT']));
    expect(codes(answer)).toHaveLength(51);
    expect(gateway.log.entries).toEqual([]);
  });
});

describe('an unexpected error', () => {
  it('is one line of the log, with its class and frames', async () => {
    const log = new TestLog();
    const failing = protectGateway(
      {
        supergraphSdl: compose(people, cities),
        experimental_didResolveQueryPlan: () => {
          throw new RangeError('a value of somebody');
        },
      },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'https://gateway.example' },
        log,
      },
    );
    const apollo = new ApolloServer({ gateway: failing, stopOnTerminationSignals: false });
    const { url } = await startStandaloneServer(apollo, { listen: { port: 0, host: '127.0.0.1' } });
    cleanup.add(() => apollo.stop());
    log.entries.length = 0;
    expect(codes(await ask(url, '{ hello }'))).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(log.entries).toEqual([
      {
        level: 'error',
        code: 'INTERNAL_SERVER_ERROR',
        facts: {
          transaction: expect.any(String) as string,
          error: 'RangeError',
          stack: expect.stringContaining('client-mistakes.test.ts') as string,
        },
      },
    ]);
    expect(log.text).not.toContain('somebody');
  });
});
