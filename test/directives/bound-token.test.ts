import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloServer, HeaderMap } from '@apollo/server';
import {
  buildProtectedSubgraph,
  createTxnTokenVerifier,
  protectedContext,
  protectedSubgraphPlugin,
} from '@behalf/directives';
import { graphqlRequestHash, InMemoryReplay } from '@behalf/directives/internal';
import type { ProtectedSubgraphOptions, ReplayMemory } from '@behalf/directives';
import fc from 'fast-check';
import { graphql } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ISSUER = 'https://gateway.example';
const typeDefs = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@public"])
  type Query {
    open: String @public
    person(id: ID): String @requiresScope(scope: "a")
    all: [String] @requiresScope(scope: "a")
  }
`;
const resolvers = {
  Query: {
    open: () => 'open',
    person: (_: unknown, { id }: { id?: string }) => `person ${id ?? 'of nobody'}`,
    all: () => ['everybody'],
  },
};

interface Body {
  readonly query: string;
  readonly variables?: Record<string, unknown> | null;
  readonly operationName?: string | null;
}

const BODY: Body = {
  query: 'query One($id: ID) { person(id: $id) } query All { all }',
  variables: { id: 'p1' },
  operationName: 'One',
};

let privateKey: CryptoKey;
let publicJwk: JWK;
const refused: string[] = [];
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  privateKey = pair.privateKey;
  publicJwk = await exportJWK(pair.publicKey);
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** As the gateway mints it with `bind: body`; without a body, an unbound token. */
async function token(
  body?: unknown,
  more: Record<string, unknown> = {},
  lifetimeSeconds = 15,
): Promise<string> {
  const hash = body === undefined ? undefined : graphqlRequestHash(body);
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: ISSUER,
    aud: 'people',
    sub: 's1',
    txn: 't',
    scope: 'a',
    req_wl: ISSUER,
    tctx: {},
    rctx: { client_id: 'app' },
    iat: now,
    exp: now + lifetimeSeconds,
    ...(hash === undefined ? {} : { jti: crypto.randomUUID(), bind: { body: hash } }),
    ...more,
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt' })
    .sign(privateKey);
}

function subgraph(more: Partial<ProtectedSubgraphOptions> = {}) {
  return buildProtectedSubgraph({
    name: 'people',
    typeDefs,
    resolvers,
    gateway: { issuer: ISSUER, keys: [publicJwk] },
    onRefusedToken: (reason) => refused.push(reason),
    ...more,
  });
}

async function execute(schema: ReturnType<typeof subgraph>, txnToken: string, body: Body, shown?: unknown) {
  refused.length = 0;
  const contextValue = await protectedContext(schema, { 'txn-token': txnToken }, shown);
  const { data } = await graphql({
    schema,
    source: body.query,
    variableValues: body.variables,
    operationName: body.operationName ?? null,
    contextValue,
  });
  return { data, refused: [...refused] };
}

describe('a token bound to a request', () => {
  it('permits that request, however its JSON is written', async () => {
    const schema = subgraph();
    const rewritten = JSON.parse(
      '{ "operationName" : "One", "variables": {"id":"\\u0070\\u0031"},"extensions":{"x":1},\n "query": ' +
        `${JSON.stringify(BODY.query)} }`,
    ) as Body;
    expect(await execute(schema, await token(BODY), rewritten, rewritten)).toEqual({
      data: { person: 'person p1' },
      refused: [],
    });
  });

  const lifted: Record<string, unknown> = {
    'put on another operation': { ...BODY, query: '{ all }', operationName: null },
    'with the other operation of its document': { ...BODY, operationName: 'All' },
    'with the variables swapped': { ...BODY, variables: { id: 'p2' } },
    'with a variable more': { ...BODY, variables: { id: 'p1', more: 1 } },
    'without its variables': { query: BODY.query, operationName: BODY.operationName },
    'in a batch': [BODY],
    'with no body shown': undefined,
    'with a body of text': JSON.stringify(BODY),
    'with a persisted query': { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } },
  };
  it.each(Object.keys(lifted))('lifted, and %s, is refused', async (name) => {
    const result = await execute(subgraph(), await token(BODY), BODY, lifted[name]);
    expect(result.refused).toEqual(['TXN_TOKEN_BODY']);
    expect(result.data).toEqual({ person: null });
  });

  it('replayed is refused, also concurrently', async () => {
    const schema = subgraph();
    const bound = await token(BODY);
    const answers = await Promise.all(
      [1, 2, 3].map(() => protectedContext(schema, { 'txn-token': bound }, BODY)),
    );
    expect(answers.filter(({ delegation }) => delegation !== undefined)).toHaveLength(1);
    expect((await execute(schema, bound, BODY, BODY)).refused).toEqual(['TXN_TOKEN_REPLAYED']);
  });

  it('is not used up by an attempt with another body', async () => {
    const schema = subgraph();
    const bound = await token(BODY);
    await execute(schema, bound, BODY, { query: '{ all }' });
    expect((await execute(schema, bound, BODY, BODY)).data).toEqual({ person: 'person p1' });
  });

  it('cannot be unbound, because its claims are signed', async () => {
    const malformed: Record<string, unknown>[] = [
      { jti: undefined },
      { jti: '' },
      { jti: 7 },
      { bind: {} },
      { bind: null },
      { bind: 'x' },
      { bind: { body: 7 } },
    ];
    for (const more of malformed) {
      expect((await execute(subgraph(), await token(BODY, more), BODY, BODY)).refused).toEqual([
        'TXN_TOKEN_CLAIM',
      ]);
    }
  });

  it('is the only kind that binding: required accepts', async () => {
    const schema = subgraph({ binding: 'required' });
    expect((await execute(schema, await token(), BODY, BODY)).refused).toEqual(['TXN_TOKEN_UNBOUND']);
    expect((await execute(schema, await token(BODY), BODY, BODY)).data).toEqual({ person: 'person p1' });
    expect((await execute(subgraph(), await token(), BODY, BODY)).data).toEqual({ person: 'person p1' });
  });
});

it.each(['requird', 'Accepted', null])('a verifier with the binding %j is not created', (binding) => {
  const trust = { issuer: ISSUER, keys: [publicJwk] };
  expect(() => createTxnTokenVerifier('people', trust, { binding: binding as 'required' })).toThrow(
    'binding: must be one of required, accepted',
  );
});

describe('the memory of used tokens', () => {
  it('refuses when full, and has room again when tokens expire', () => {
    let now = 1_000;
    const memory = new InMemoryReplay(2, { now: () => now * 1_000 });
    expect(memory.use('a', 1_010)).toBe('first');
    expect(memory.use('b', 1_015)).toBe('first');
    expect(memory.use('c', 1_015)).toBe('full');
    expect(memory.use('a', 1_010)).toBe('replayed');
    now = 1_011;
    expect(memory.use('c', 1_020)).toBe('first');
    expect(memory.use('b', 1_015)).toBe('replayed');
    now = 2_000;
    expect(memory.use('d', 2_010)).toBe('first');
    expect(memory.size).toBe(1);
  });

  it('never forgets an accepted token, and never exceeds its bound (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 3 })), {
          maxLength: 200,
        }),
        (uses) => {
          let now = 0;
          const memory = new InMemoryReplay(20, { now: () => now * 1_000 });
          const used = new Map<string, number>();
          for (const [index, passing] of uses) {
            now += passing;
            // A token has one expiry, so the name contains it.
            const expiresAt = Math.floor(now / 10) * 10 + 15;
            const id = `${index} ${expiresAt}`;
            const isUsed = (used.get(id) ?? -1) > now;
            const answer = memory.use(id, expiresAt);
            expect(answer === 'replayed').toBe(isUsed);
            if (answer === 'first') used.set(id, expiresAt);
            expect(memory.size).toBeLessThanOrEqual(20);
          }
        },
      ),
    );
  });

  it.each([
    ['is full', { use: () => 'full' }],
    [
      'throws',
      {
        use: () => {
          throw new Error('store is down');
        },
      },
    ],
    ['rejects', { use: () => Promise.reject(new Error('store is down')) }],
    ['says something else', { use: () => 'yes' }],
  ] as unknown as [string, ReplayMemory][])('refuses if it %s', async (_name, replay) => {
    const result = await execute(subgraph({ replay }), await token(BODY), BODY, BODY);
    expect(result.refused).toEqual(['TXN_TOKEN_REPLAY_UNKNOWN']);
  });

  it('can be shared, and then instances accept a token once between them', async () => {
    const replay = new InMemoryReplay();
    const [one, two] = [subgraph({ replay }), subgraph({ replay })];
    const bound = await token(BODY);
    expect((await execute(one, bound, BODY, BODY)).data).toEqual({ person: 'person p1' });
    expect((await execute(two, bound, BODY, BODY)).refused).toEqual(['TXN_TOKEN_REPLAYED']);
  });
});

describe('under Apollo Server', () => {
  let url: string;
  beforeAll(async () => {
    const schema = subgraph();
    const apollo = new ApolloServer({
      schema,
      plugins: [protectedSubgraphPlugin(schema)],
      allowBatchedHttpRequests: true,
      csrfPrevention: false,
      stopOnTerminationSignals: false,
    });
    await apollo.start();
    const server = createServer((incoming, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
        const text = Buffer.concat(chunks).toString();
        // As express does: a body is parsed whatever the method.
        const body: unknown = text === '' ? undefined : JSON.parse(text);
        const headers = new HeaderMap();
        for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
        const answer = await apollo.executeHTTPGraphQLRequest({
          httpGraphQLRequest: {
            method: incoming.method ?? '',
            headers,
            search: new URL(incoming.url ?? '', 'http://x').search,
            body,
          },
          context: () => protectedContext(schema, incoming.headers, body),
        });
        response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
        response.end(answer.body.kind === 'complete' ? answer.body.string : '');
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(
      () => apollo.stop(),
      () => server.close(),
    );
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });

  function send(method: string, address: string, txnToken: string, body?: unknown): Promise<string> {
    const text = body === undefined ? '' : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        address,
        {
          method,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
            'txn-token': txnToken,
          },
        },
        (response) => {
          let answer = '';
          response.on('data', (chunk: Buffer) => (answer += chunk.toString()));
          response.on('end', () => resolve(answer));
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
  }

  it('the bound request is executed', async () => {
    expect(await send('POST', url, await token(BODY), BODY)).toContain('person p1');
  });

  it('a GET with a query string beside the bound body executes nothing', async () => {
    const address = `${url}?query=${encodeURIComponent('{ all }')}`;
    const answer = await send('GET', address, await token(BODY), BODY);
    expect(answer).not.toContain('everybody');
    expect(answer).toContain('TXN_TOKEN_ELSEWHERE');
    // For contrast: an unbound token may do so.
    expect(await send('GET', address, await token(), BODY)).toContain('everybody');
  });

  it('a batch of the bound request and another is refused whole', async () => {
    const answer = await send('POST', url, await token(BODY), [BODY, { query: '{ all }' }]);
    expect(answer).not.toMatch(/everybody|person p1/);
  });
});

describe('the hash of a request (RFC 8785)', () => {
  const anyJson = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>;
  const variables = fc.option(fc.dictionary(fc.string(), anyJson, { maxKeys: 5 }), { nil: null });
  const body = fc.record({
    query: fc.string(),
    variables,
    operationName: fc.option(fc.string(), { nil: null }),
  });

  /** The same JSON value, its members in another order, with white space and escapes. */
  function rewrite(value: unknown): string {
    if (typeof value === 'string')
      return `"${Array.from({ length: value.length }, (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
    if (Array.isArray(value)) return `[ ${value.map(rewrite).join(' ,\n')} ]`;
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).reverse();
      return `{\t${members.map(([key, entry]) => `${rewrite(key)} : ${rewrite(entry)}`).join(' , ')} }`;
    }
    if (typeof value === 'number' && Number.isSafeInteger(value))
      return `${Object.is(value, -0) ? '-0' : value}.0`;
    return JSON.stringify(value);
  }

  it('is the same however the request is written (property)', () => {
    fc.assert(
      fc.property(body, (request) => {
        const hash = graphqlRequestHash(request);
        expect(hash).toMatch(/^[\w-]{43}$/);
        expect(graphqlRequestHash(JSON.parse(rewrite(request)))).toBe(hash);
        expect(graphqlRequestHash(JSON.parse(JSON.stringify(request)))).toBe(hash);
      }),
      { numRuns: 1_000 },
    );
  });

  it('differs for every other query, variables or operation name (property)', () => {
    // Canonical by independent means: sorted entries, serialized by the test itself.
    const meaning = (value: unknown): string =>
      JSON.stringify(value, (_key, entry: unknown) =>
        typeof entry === 'object' && entry !== null && !Array.isArray(entry)
          ? ['object', ...Object.entries(entry).sort(([one], [other]) => (one < other ? -1 : 1))]
          : Array.isArray(entry)
            ? ['list', ...(entry as unknown[])]
            : entry,
      );
    fc.assert(
      fc.property(body, body, (one, other) => {
        const isSame =
          one.query === other.query &&
          one.operationName === other.operationName &&
          meaning(one.variables) === meaning(other.variables);
        expect(graphqlRequestHash(one) === graphqlRequestHash(other)).toBe(isSame);
      }),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(body, fc.constantFrom('query', 'variables', 'operationName'), (request, member) => {
        const changed = {
          ...request,
          [member]:
            member === 'variables' ? { ...request.variables, 'one more': 1 } : `${request[member] ?? ''} `,
        };
        if (meaning(changed) !== meaning(request))
          expect(graphqlRequestHash(changed)).not.toBe(graphqlRequestHash(request));
      }),
      { numRuns: 1_000 },
    );
  });

  it('distinguishes similar requests', () => {
    const q = '{ a }';
    const distinct: unknown[] = [
      { query: q },
      { query: q, variables: {} },
      { query: q, operationName: '' },
      { query: q, operationName: 'null' },
      { query: q, variables: { a: 1 } },
      { query: q, variables: { a: '1' } },
      { query: q, variables: { a: [1] } },
      { query: q, variables: { a: { 0: 1 } } },
      { query: q, variables: { a: null } },
      { query: q, variables: JSON.parse('{"__proto__":{"a":1}}') as object },
      { query: q, variables: { a: '\ud800' } },
      { query: q, variables: { a: '\ud801' } },
      { query: q, variables: { a: '\ufffd' } },
      { query: q, variables: { a: '\\ud800' } },
      { query: q, variables: { 'a":1,"b': 2 } },
      { query: q, variables: { a: 1, b: 2 } },
      { query: `${q}","variables":{` },
      { query: `${q} ` },
    ];
    const hashes = distinct.map((request) => graphqlRequestHash(request));
    expect(hashes).not.toContain(undefined);
    expect(new Set(hashes).size).toBe(distinct.length);
    expect(graphqlRequestHash({ query: q, variables: null, operationName: null })).toBe(
      graphqlRequestHash({ query: q }),
    );
  });

  it('does not exist for what is not one request, or nested too deeply', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    const inherited = Object.create({ query: '{ a }' }) as unknown;
    for (const request of [
      undefined,
      null,
      'x',
      [],
      {},
      { query: 7 },
      { query: '{ a }', variables: [] },
      { query: '{ a }', variables: '{}' },
      { query: '{ a }', operationName: 7 },
      { query: '{ a }', variables: { deep } },
      inherited,
    ])
      expect(graphqlRequestHash(request)).toBeUndefined();
  });
});

describe('the library without GraphQL', () => {
  it('protects a service that does not use GraphQL', async () => {
    const verify = createTxnTokenVerifier('people', { issuer: ISSUER, keys: [publicJwk] });
    expect((await verify(await token())).verified?.delegation.scopes).toEqual(new Set(['a']));
    expect((await verify(await token(BODY))).refusal).toBe('TXN_TOKEN_BODY');
    expect((await verify(undefined)).refusal).toBe('TXN_TOKEN_MISSING');
  });

  const services: [string, Record<string, unknown>, boolean][] = [
    [
      'says that it is one, by its subject as well',
      { sub: 'urn:behalf:service:job', tctx: { service: true } },
      true,
    ],
    ['has a person’s subject', { sub: 's1', tctx: { service: true } }, false],
    ['has a service’s subject and passes for a person', { sub: 'urn:behalf:service:job', tctx: {} }, false],
    [
      'is one by a claim that is not true',
      { sub: 'urn:behalf:service:job', tctx: { service: 'true' } },
      false,
    ],
    [
      'has a consent, which only a person gives',
      {
        sub: 'urn:behalf:service:job',
        tctx: { service: true, consent: { id: 'k', version: 1, purposes: [], detail: 'full' } },
      },
      false,
    ],
  ];
  it.each(services)('RFC 9068 section 5: a service that %s', async (_name, more, isGood) => {
    const verify = createTxnTokenVerifier('people', { issuer: ISSUER, keys: [publicJwk] });
    const { verified, refusal } = await verify(await token(undefined, more));
    expect(verified?.delegation.service).toBe(isGood ? true : undefined);
    expect(refusal).toBe(isGood ? undefined : 'TXN_TOKEN_CLAIM');
  });
});
