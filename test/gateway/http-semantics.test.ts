import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AUDIENCE,
  BOTH_SCHEMES,
  Cleanup,
  codes,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { Answer, TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
/** Everything that is off by default. */
let open: TestGateway;
let closed: TestGateway;
let auditFile: string;
const JSON_TYPE = { 'content-type': 'application/json' };
const RESPONSE_TYPE = 'application/graphql-response+json';
const tokens = { name: '', none: '', other: '' };

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-http-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  auditFile = join(folder, 'audit.jsonl');
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  const supergraph = compose(people);
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  closed = await startTestGateway(cleanup, supergraph, { issuers });
  open = await startTestGateway(cleanup, supergraph, {
    issuers,
    http: { get: true, batch: { maxOperations: 3 }, persistedQueries: { maxEntries: 2 } },
    audit: { mode: 'required', file: auditFile },
  });
  tokens.name = await issuer.mint({ scope: 'name' });
  tokens.other = await issuer.mint({ scope: 'name email', sub: 'c-000002' });
  tokens.none = await issuer.mint();
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const accepting = (accept: string): Record<string, string> => ({ accept });

describe('the status by media type (GraphQL over HTTP section 6.4)', () => {
  it('is 200 for partial data, whatever the client accepts', async () => {
    for (const accept of [RESPONSE_TYPE, 'application/json', '*/*']) {
      const answer = await closed.ask('{ me { name email } }', {
        token: tokens.name,
        headers: accepting(accept),
      });
      expect(answer.status).toBe(200);
      expect(answer.body.data).toEqual({ me: { name: 'Name of c-000001', email: null } });
      expect(answer.headers['www-authenticate']).toBeUndefined();
    }
  });

  it('without data is 403 with a token and 401 without one', async () => {
    const query = '{ me { email } }';
    const headers = accepting(RESPONSE_TYPE);
    const known = await closed.ask(query, { token: tokens.name, headers });
    expect(known.status).toBe(403);
    expect(known.headers['content-type']).toContain(RESPONSE_TYPE);
    expect(Object.keys(known.body)).toEqual(['errors']);
    expect(known.headers['www-authenticate']).toMatch(
      /^Bearer error="insufficient_scope", scope="email", resource_metadata="[^"]+"$/,
    );
    const nobody = await closed.ask(query, { headers });
    expect(nobody.status).toBe(401);
    expect(nobody.headers['www-authenticate']).toMatch(BOTH_SCHEMES);
    expect(codes(nobody)).toEqual(['UNAUTHORIZED_FIELD_OR_TYPE']);
    expect(people.requests).toEqual([]);
  });

  it.each([undefined, 'application/json', '*/*', `application/json, ${RESPONSE_TYPE};q=0.5`])(
    'is the conventional 200 with null data if the client accepts %s',
    async (accept) => {
      const answer = await closed.ask('{ me { email } }', {
        token: tokens.name,
        headers: accept === undefined ? {} : accepting(accept),
      });
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toContain('application/json');
      expect(answer.body.data).toEqual({ me: null });
      expect(codes(answer)).toEqual(['UNAUTHORIZED_FIELD_OR_TYPE']);
    },
  );

  it('tells that a fully denied mutation did not run', async () => {
    const answer = await closed.ask('mutation { rename(name: "x") { id } }', {
      token: tokens.name,
      headers: accepting(RESPONSE_TYPE),
    });
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toContain('scope="people:write"');
    expect(people.requests).toEqual([]);
  });

  it('names no scope if scopes are not what is missing', async () => {
    const answer = await closed.ask('{ me { vip } }', {
      token: tokens.name,
      headers: accepting(RESPONSE_TYPE),
    });
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toMatch(
      /^Bearer error="insufficient_scope", resource_metadata="[^"]+"$/,
    );
  });
});

describe('GET', () => {
  const get = (query: string, headers: Record<string, string> = {}, at = open): Promise<Answer> =>
    send(`${at.url}/graphql?${query}`, '', headers, 'GET');
  const preflighted = { 'apollo-require-preflight': 'true' };
  const hello = 'query={hello}';

  it('is off by default', async () => {
    expect((await get(hello, preflighted, closed)).status).toBe(405);
  });

  it('runs a query with the caller’s delegation, and is not cacheable', async () => {
    const query = `query=${encodeURIComponent('query ($id: ID!) { person(id: $id) { name email } }')}&variables=${encodeURIComponent('{"id":"7"}')}`;
    const answer = await get(query, { ...preflighted, ...bearer(tokens.name) });
    expect(answer.body.data).toEqual({ person: { name: 'Name of 7', email: null } });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await get(query, preflighted)).body.data).toEqual({ person: null });
  });

  it('never runs a mutation', async () => {
    const answer = await get('query=mutation{touch}', { ...preflighted, ...bearer(tokens.name) });
    expect(answer.status).toBe(405);
    expect(people.requests).toEqual([]);
  });

  it('ignores a token in the query string (RFC 6750 section 2.3)', async () => {
    const answer = await get(`query={me{name}}&access_token=${tokens.name}`, preflighted);
    expect(answer.body.data).toEqual({ me: null });
  });

  it.each([
    ['no header that needs a CORS preflight', {}],
    ['a content type that a form can send', { 'content-type': 'text/plain' }],
    ['GHSA-hff2-gcpx-8f4p: a foreign content type', { 'content-type': 'message/http' }],
    ['GHSA-hff2-gcpx-8f4p: an invalid content type', { 'content-type': 'application/json,text/plain' }],
    ['a foreign content type beside the header', { 'content-type': 'text/html', ...preflighted }],
  ])('is refused with %s', async (_what, headers) => {
    const answer = await get(hello, headers);
    expect([400, 415]).toContain(answer.status);
    expect(people.requests).toEqual([]);
  });

  it.each(['query={hello}&query={me{id}}', 'query={hello}&variables=5', 'query={hello}&variables={', ''])(
    'with unreadable parameters is 400: %s',
    async (query) => {
      const answer = await get(query, preflighted);
      expect(answer.status).toBe(400);
      expect(people.requests).toEqual([]);
    },
  );
});

describe('a batch', () => {
  interface Piece {
    readonly data?: unknown;
    readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
  }
  const post = async (
    body: unknown,
    headers: Record<string, string> = {},
    at = open,
  ): Promise<Answer & { readonly pieces: readonly Piece[] }> => {
    const answer = await send(`${at.url}/graphql`, JSON.stringify(body), { ...JSON_TYPE, ...headers });
    return { ...answer, pieces: answer.body as unknown as readonly Piece[] };
  };

  it('is off by default, and limited in size', async () => {
    const hello = { query: '{ hello }' };
    expect((await post([hello], {}, closed)).status).toBe(400);
    expect((await post([])).status).toBe(400);
    expect((await post([hello, hello, hello, hello])).status).toBe(400);
    expect(people.requests).toEqual([]);
    expect((await post([hello, hello, hello])).pieces).toHaveLength(3);
  });

  it('authorizes and records each operation, unreadable ones included', async () => {
    const before = await records();
    const answer = await post(
      [{ query: '{ me { name email } }' }, { query: '{ nothing }' }, { query: '{ me { email } }' }],
      { ...bearer(tokens.name), accept: RESPONSE_TYPE },
    );
    // No single operation determines the status of a batch.
    expect(answer.status).toBe(200);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect(answer.pieces.map(({ data }) => data)).toEqual([
      { me: { name: 'Name of c-000001', email: null } },
      undefined,
      { me: null },
    ]);
    const made = (await records()).slice(before.length);
    expect(made.map(({ outcome }) => outcome).sort()).toEqual(['answered', 'answered', 'refused']);
    const named = String(answer.headers['behalf-transaction']).split(', ');
    expect(new Set(named)).toEqual(new Set(made.map(({ transactionId }) => transactionId)));
  });

  it('with an invalid token is refused as a whole', async () => {
    expect((await post([{ query: '{ hello }' }, { query: '{ hello }' }], bearer('a.b.c'))).status).toBe(401);
  });

  it('does not let a refused operation affect the others', async () => {
    const answer = await post([{ query: '{ __schema { queryType { name } } }' }, { query: '{ hello }' }]);
    expect(answer.status).toBe(200);
    expect(answer.pieces[0]?.errors?.[0]?.extensions.code).toBe('INTROSPECTION_DISABLED');
    expect(answer.pieces[1]?.data).toEqual({ hello: 'hello world' });
  });

  it('treats names like __proto__ as ordinary ones', async () => {
    const body = `[{"query":"query ($constructor: String) { __proto__: hello(name: $constructor) hasOwnProperty: hello }","variables":{"constructor":"x","__proto__":{"name":"y"}},"extensions":{"__proto__":{"a":1}}}]`;
    const answer = await send(`${open.url}/graphql`, body, JSON_TYPE);
    expect(answer.text).toBe('[{"data":{"__proto__":"hello x","hasOwnProperty":"hello world"}}\n]');
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  async function records(): Promise<{ outcome: string; transactionId: string }[]> {
    const text = await readFile(auditFile, 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { outcome: string; transactionId: string });
  }
});

describe('persisted queries', () => {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const named = (text: string, hash = sha256(text)): object => ({
    extensions: { persistedQuery: { version: 1, sha256Hash: hash } },
  });
  const post = (body: object, token?: string, at = open): Promise<Answer> =>
    send(`${at.url}/graphql`, JSON.stringify(body), {
      ...JSON_TYPE,
      ...(token === undefined ? {} : bearer(token)),
    });
  const query = '{ me { name email } }';

  it('are off by default', async () => {
    const answer = await post({ query, ...named(query) }, tokens.name, closed);
    expect(codes(answer)).toEqual(['PERSISTED_QUERY_NOT_SUPPORTED']);
  });

  it('never mix callers: each gets what the full text would give', async () => {
    expect(codes(await post(named(query), tokens.name))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    const wide = await post({ query, ...named(query) }, tokens.other);
    expect(wide.body.data).toEqual({ me: { name: 'Name of c-000001', email: 'c-000001@example.org' } });
    for (const token of [tokens.name, tokens.none, undefined, tokens.other]) {
      const byHash = await post(named(query), token);
      const byText = await post({ query }, token);
      expect(byHash.text).toBe(byText.text);
    }
    expect((await post(named(query), tokens.name)).body.data).toEqual({
      me: { name: 'Name of c-000001', email: null },
    });
  });

  it('are registered only under their own hash', async () => {
    const foreign = sha256('{ hello }');
    const answer = await post({ query, ...named(query, foreign) }, tokens.name);
    expect(answer.status).toBe(400);
    expect(codes(await post(named(query, foreign), tokens.name))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
  });

  it('are kept in bounded number', async () => {
    const texts = ['a', 'b', 'c'].map((alias) => `{ ${alias}: hello }`);
    for (const text of texts) await post({ query: text, ...named(text) });
    expect(codes(await post(named(texts[0] ?? '')))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    expect((await post(named(texts[2] ?? ''))).body.data).toEqual({ c: 'hello world' });
  });
});
