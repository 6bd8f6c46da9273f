import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getIntrospectionQuery } from 'graphql';
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
import type { Answer, TestGateway } from './support.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let gateway: TestGateway;
let auditFile: string;
let token: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-limits-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  auditFile = join(folder, 'audit.jsonl');
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  accounts = await TestSubgraph.start('accounts');
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people, accounts), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    introspection: 'all',
    http: { get: true, batch: { maxOperations: 10 }, persistedQueries: {} },
    audit: { mode: 'required', file: auditFile },
  });
  token = await issuer.mint({ scope: 'name email accounts balance' });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
  accounts.requests.length = 0;
});

const list = (size: number, entry: (index: number) => string): string =>
  Array.from({ length: size }, (_, index) => entry(index)).join(' ');
const chain = (size: number, next: (index: number) => string): string =>
  list(size, (i) => `fragment F${i} on Person { ${i + 1 < size ? next(i + 1) : 'nick'} }`);

/** Hostile requests, and the limit that each one hits. */
const HOSTILE: readonly (readonly [string, string, string, number | undefined])[] = [
  ['many tokens', `{ me { ${list(6_000, () => 'nick')} } }`, 'tokens', 6_005],
  ['many comments', `{ hello }${'#\n'.repeat(6_000)}`, 'tokens', 6_003],
  ['many lines', `{ hello }${'\n'.repeat(30_000)}`, 'lines', 30_001],
  ['many lines of a block string', `{ hello(name: """${'\nx'.repeat(30_000)}""") }`, 'lines', 30_001],
  ['many lines before errors', `${'\r\n'.repeat(30_000)}{ ${list(90, (i) => `x${i}`)} }`, 'lines', 30_001],
  ['many fragments', `{ me { ...F0 } } ${chain(150, (i) => `...F${i}`)}`, 'definitions', 151],
  ['many operations', list(150, (i) => `query Q${i} { hello }`), 'definitions', 150],
  [
    'fragments that double',
    `{ me { ...F0 } } ${chain(40, (i) => `...F${i} ...F${i}`)}`,
    'selections',
    undefined,
  ],
  [
    'conditions that double',
    `query ($a: Boolean!) { me { ...F0 } } ${chain(40, (i) => `...F${i} @include(if: $a) ...F${i} @skip(if: $a)`)}`,
    'selections',
    undefined,
  ],
  [
    'unused fragments that double',
    `{ hello } ${chain(40, (i) => `...F${i} ...F${i}`)}`,
    'selections',
    undefined,
  ],
  [
    'a duplicate of a fragment that hides one',
    `{ hello } ${chain(40, (i) => `...F${i} ...F${i}`)} fragment F0 on Person { nick }`,
    'selections',
    undefined,
  ],
  ['depth in fragments', `{ me { ...F0 } } ${chain(30, (i) => `accounts { ...F${i} }`)}`, 'depth', 31],
  ['a nested list', `{ person(id: ${'['.repeat(500)}1${']'.repeat(500)}) { id } }`, 'nesting', 502],
  ['a nested object', `{ person(id: ${'{a:'.repeat(500)}1${'}'.repeat(500)}) { id } }`, 'nesting', 502],
  ['a nested type', `query ($v: ${'['.repeat(500)}Int${']'.repeat(500)}) { hello }`, 'nesting', 501],
  ['unclosed brackets', '{a'.repeat(2_000), 'nesting', 2_000],
  [
    'inline fragments in each other',
    `{ me { ${'... {'.repeat(120)} nick ${'}'.repeat(120)} } }`,
    'nesting',
    122,
  ],
  [
    'inline fragments in a chain of fragments',
    `{ me { ...F0 } } ${chain(15, (i) => `${'... {'.repeat(10)} ...F${i} ${'}'.repeat(10)}`)}`,
    'nesting',
    undefined,
  ],
  ['aliases', `{ me { ${list(300, (i) => `a${i}: nick`)} } }`, 'aliases', 300],
  [
    'aliases in a fragment',
    `{ me { ${list(20, () => 'accounts { ...F }')} } } fragment F on Account { ${list(20, (i) => `a${i}: id`)} }`,
    'aliases',
    400,
  ],
  ['a long alias', `{ ${'a'.repeat(257)}: hello }`, 'nameLength', 257],
  [
    'a long alias in a fragment that nothing spreads',
    `{ hello } fragment F on Person { ${'a'.repeat(300)}: nick }`,
    'nameLength',
    300,
  ],
  ['a long alias of introspection', `{ __schema { ${'a'.repeat(300)}: types { name } } }`, 'nameLength', 300],
  [
    'a long alias in an inline fragment',
    `{ ... @include(if: false) { ${'a'.repeat(200_000)}: hello } }`,
    'nameLength',
    200_000,
  ],
  ['a long name of a variable', `query ($${'v'.repeat(300)}: Int) { hello }`, 'nameLength', 300],
  [
    'aliases in a fragment that another of its name hides',
    `{ ...F } fragment F on Query { ${list(300, (i) => `a${i}: hello`)} } fragment F on Query { hello }`,
    'aliases',
    300,
  ],
  ['root fields', `{ ${list(50, (i) => `a${i}: hello`)} }`, 'rootFields', 50],
  [
    'root fields in fragments',
    `{ ...F ...F } fragment F on Query { ${list(20, (i) => `a${i}: hello`)} }`,
    'rootFields',
    40,
  ],
  [
    'directives',
    `{ ${list(25, () => `me { ${list(9, () => 'nick @skip(if: false)')} }`)} }`,
    'directives',
    225,
  ],
  ['directives at one place', `{ hello ${list(20, () => '@skip(if: false)')} }`, 'directivesPerLocation', 20],
  ['variables', `query (${list(500, (i) => `$v${i}: Int`)}) { hello }`, 'variables', 500],
  [
    'conditions',
    `query (${list(20, (i) => `$v${i}: Boolean!`)}) { me { ${list(20, (i) => `nick @include(if: $v${i})`)} } }`,
    'conditions',
    20,
  ],
  [
    'fields that overlap',
    `{ ${list(20, () => `me { ${list(60, () => 'nick')} }`)} }`,
    'overlaps',
    (20 * 19) / 2 + (1_200 * 1_199) / 2,
  ],
  [
    'fields with long arguments that overlap',
    `{ ${list(29, () => `person(id: [${list(150, () => '1')}]) { id }`)} }`,
    'overlaps',
    406 * 152 + 406,
  ],
  [
    'aliases in introspection',
    `{ __schema { types { fields { type { fields { ${list(150, (i) => `a${i}: name`)} } } } } } }`,
    'introspection',
    undefined,
  ],
];

function expectRefused(answer: Answer, limit: string, actual?: number): void {
  expect(answer.status).toBe(400);
  expect(codes(answer)).toEqual(['OPERATION_LIMIT_EXCEEDED']);
  expect(answer.body).not.toHaveProperty('data');
  const { extensions } = answer.body.errors?.[0] ?? {};
  expect(extensions).toEqual({
    code: 'OPERATION_LIMIT_EXCEEDED',
    limit,
    maximum: expect.any(Number) as number,
    actual: actual ?? (expect.any(Number) as number),
  });
  expect(Number(extensions?.actual)).toBeGreaterThan(Number(extensions?.maximum));
  expect([...people.requests, ...accounts.requests]).toEqual([]);
}

describe.each(HOSTILE)('%s', (_name, query, limit, actual) => {
  it('are refused with 400, the limit and the number, and reach no subgraph', async () => {
    expectRefused(await gateway.ask(query, { variables: { a: true } }), limit, actual);
  });

  it('are refused for an authenticated caller, too', async () => {
    expectRefused(await gateway.ask(query, { token, variables: { a: true } }), limit, actual);
  });
});

describe('variable values', () => {
  const query = 'query ($v: ID!) { person(id: $v) { id } }';
  const post = (variables: string): Promise<Answer> =>
    send(`${gateway.url}/graphql`, `{"query":${JSON.stringify(query)},"variables":${variables}}`, JSON_TYPE);

  it.each([
    ['nested lists', `{"v":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['nested objects', `{"v":${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}}`],
    ['nested in an undefined variable', `{"v":"1","w":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['a long list', `{"v":[${'1,'.repeat(20_000)}1]}`],
    ['many members', `{"v":{${list(12_000, (i) => `"m${i}":1`).replaceAll(' ', ',')}}}`],
  ])('are refused with 400: %s', async (name, variables) => {
    const answer = await post(variables);
    const limit = name.startsWith('nested in') || name.startsWith('nested lists') ? 'values' : undefined;
    expect(answer.status).toBe(400);
    expect(codes(answer)).toEqual(['OPERATION_LIMIT_EXCEEDED']);
    expect(['values', 'nesting']).toContain(answer.body.errors?.[0]?.extensions?.limit);
    if (limit !== undefined) expect(answer.body.errors?.[0]?.extensions?.limit).toBe(limit);
    expect(people.requests).toEqual([]);
  });

  it('of an ordinary size are accepted', async () => {
    expect((await post('{"v":"c-1"}')).body).toEqual({ data: { person: { id: 'c-1' } } });
  });
});

describe('long inputs without large counts', () => {
  it.each([
    ['a long string', `{ hello(name: "${'x'.repeat(200_000)}") }`, 200],
    ['a long block string', `{ hello(name: """${'\n x'.repeat(15_000)}""") }`, 200],
    ['a long name', `{ ${'x'.repeat(200_000)} }`, 400],
    ['an unterminated string', `{ hello(name: "${'x'.repeat(200_000)}`, 400],
    [
      'a circle of fragments',
      `{ me { ...F0 } } ${list(50, (i) => `fragment F${i} on Person { ...F${(i + 1) % 50} }`)}`,
      400,
    ],
    ['a fragment within itself', '{ me { ...F } } fragment F on Person { nick ... { ...F } }', 400],
    ['an unknown fragment', '{ me { ...F } }', 400],
  ])('are answered without an internal error: %s', async (_name, query, status) => {
    const answer = await gateway.ask(query);
    expect(answer.status).toBe(status);
    expect(codes(answer)).not.toContain('INTERNAL_SERVER_ERROR');
  });
});

describe('ordinary operations', () => {
  it('are answered: tools’ introspection, fragments, aliases and conditions', async () => {
    const schema = await gateway.ask(
      getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true, schemaDescription: true }),
    );
    expect(schema.status).toBe(200);
    expect(schema.body.errors).toBeUndefined();
    const answer = await gateway.ask(
      'query ($a: Boolean!) { one: me { ...F } two: me { ...F @include(if: $a) } } fragment F on Person { id nick accounts { id balance } }',
      { token, variables: { a: true } },
    );
    expect(answer.status).toBe(200);
    expect(answer.body.errors).toBeUndefined();
  });

  it('are answered up to the limit, and not beyond', async () => {
    const aliased = (size: number) => `{ me { ${list(size, (i) => `a${i}: nick`)} } }`;
    expect((await gateway.ask(aliased(200))).status).toBe(200);
    people.requests.length = 0;
    expectRefused(await gateway.ask(aliased(201)), 'aliases', 201);
  });
});

describe('an oversized operation', () => {
  const large = `{ me { ${list(300, (i) => `a${i}: nick`)} } }`;
  const sha256Hash = createHash('sha256').update(large).digest('hex');
  const persisted = { persistedQuery: { version: 1, sha256Hash } };

  it('is counted by GET', async () => {
    const answer = await send(
      `${gateway.url}/graphql?query=${encodeURIComponent(large)}`,
      '',
      { 'apollo-require-preflight': '1' },
      'GET',
    );
    expectRefused(answer, 'aliases', 300);
  });

  it('is counted as a persisted query, and not registered', async () => {
    const post = (body: object) => send(`${gateway.url}/graphql`, JSON.stringify(body), JSON_TYPE);
    expectRefused(await post({ query: large, extensions: persisted }), 'aliases', 300);
    expect(codes(await post({ extensions: persisted }))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
  });

  it('is refused alone in a batch, and each operation recorded', async () => {
    const before = (await records()).length;
    const answer = await send(
      `${gateway.url}/graphql`,
      JSON.stringify([{ query: '{ hello }' }, { query: large }, { query: '{ nothing }' }]),
      JSON_TYPE,
    );
    expect(answer.status).toBe(200);
    const pieces = answer.body as unknown as Answer['body'][];
    expect(pieces[0]?.data).toEqual({ hello: 'hello world' });
    expect(pieces[1]?.errors?.[0]?.extensions?.limit).toBe('aliases');
    const made = (await records()).slice(before);
    expect(made.map(({ outcome, reason }) => [outcome, reason]).sort()).toEqual([
      ['answered', undefined],
      ['refused', 'OPERATION_INVALID'],
      ['refused', 'OPERATION_LIMIT_EXCEEDED'],
    ]);
  });

  it('new texts of a batch share the token limit of one request', async () => {
    const text = (index: number) => `query Q${index} { me { ${list(1_000, () => 'x')} } }`;
    const answer = await send(
      `${gateway.url}/graphql`,
      JSON.stringify(Array.from({ length: 10 }, (_, index) => ({ query: text(index) }))),
      JSON_TYPE,
    );
    const limits = (answer.body as unknown as Answer['body'][]).map(
      ({ errors }) => errors?.[0]?.extensions?.limit,
    );
    expect(limits.filter((limit) => limit === 'tokens')).toHaveLength(6);
  });

  async function records(): Promise<{ outcome: string; reason?: string }[]> {
    return (await readFile(auditFile, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { outcome: string; reason?: string });
  }
});

describe('configured limits', () => {
  it('replace the defaults', async () => {
    const strict = await startTestGateway(cleanup, compose(people), {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      limits: { depth: 1, aliases: 0, cost: 1 },
    });
    expect((await strict.ask('{ hello }')).status).toBe(200);
    people.requests.length = 0;
    expectRefused(await strict.ask('{ me { id } }'), 'depth', 2);
    expectRefused(await strict.ask('{ a: hello }'), 'aliases', 1);
    expectRefused(await strict.ask('mutation { touch }'), 'cost', 10);
  });
});

describe('around an existing Apollo Server', () => {
  async function start(withPlugin: boolean): Promise<string> {
    const protectedGateway = protectGateway(
      { supergraphSdl: compose(people) },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'http://gateway.example' },
        log: new TestLog(),
      },
    );
    const apollo = new ApolloServer({
      gateway: protectedGateway,
      stopOnTerminationSignals: false,
      ...(withPlugin
        ? { documentStore: protectedGateway.documents, plugins: [protectedGateway.limitsPlugin()] }
        : {}),
    });
    const { url } = await startStandaloneServer(apollo, {
      listen: { port: 0, host: '127.0.0.1' },
      context: async () => protectedGateway.context({ authorization: [] }),
    });
    cleanup.add(() => apollo.stop());
    return url;
  }

  it.each([
    ['counts after it has validated', false],
    ['counts before it parses, with the plugin', true],
  ])('the gateway %s', async (_name, withPlugin) => {
    const url = await start(withPlugin);
    expect((await ask(url, '{ hello }')).body).toEqual({ data: { hello: 'hello world' } });
    people.requests.length = 0;
    expectRefused(await ask(url, `{ me { ${list(300, (i) => `a${i}: nick`)} } }`), 'aliases', 300);
    expectRefused(
      await ask(url, `{ me { ...F0 } } ${chain(12, (i) => `...F${i} ... { ...F${i} }`)}`),
      'selections',
    );
  });
});
