import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let supergraph: string;
let gateway: TestGateway;

const ALL = '{ me { id name nick accounts { id iban } } rates }';
// Long enough for 33 MB to arrive from the same process on a busy machine.
const TIMEOUT_MS = 2_000;

beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people', trust);
  accounts = await TestSubgraph.start('accounts', trust);
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  supergraph = compose(people, accounts);
  gateway = await startTestGateway(cleanup, supergraph, {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE, claims: { policies: 'policies' } }],
    subgraphs: {
      people: { timeoutMs: TIMEOUT_MS, roles: ['customer', 'administrator'] },
      accounts: { timeoutMs: TIMEOUT_MS },
    },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
  people.instead = undefined;
  accounts.requests.length = 0;
});

function tokenSentTo(subgraph: TestSubgraph): string {
  return String(subgraph.requests.at(-1)?.headers['txn-token']);
}

/** As a subgraph of another vendor would. */
async function verified(subgraph: TestSubgraph) {
  const keys = createRemoteJWKSet(new URL(`${gateway.url}/.well-known/jwks.json`));
  return jwtVerify(tokenSentTo(subgraph), keys, {
    issuer: gateway.url,
    audience: subgraph.name,
    typ: 'txntoken+jwt',
    algorithms: ['EdDSA'],
    requiredClaims: ['iat', 'exp', 'txn'],
  });
}

describe('the transaction token (draft-ietf-oauth-transaction-tokens)', () => {
  const consent = {
    id: 'consent-1',
    version: 3,
    purposes: ['credit', 'tax', 'marketing'],
    detail: 'minimal',
    until: Math.floor(Date.now() / 1000) + 600,
  };

  it('is one per subgraph, with only what that subgraph’s rules can require', async () => {
    const token = await issuer.mint({
      scope: 'name email accounts people:write unknown:scope openid',
      policies: 'vip other',
      roles: ['customer', 'staff'],
      consent,
      act: { sub: 'robot', act: { sub: 'service' } },
    });
    const answer = await gateway.ask(ALL, { token });
    expect(answer.body.errors).toBeUndefined();
    const one = await verified(people);
    const two = await verified(accounts);
    const { iat = 0, exp = 0, txn } = one.payload;
    expect(exp - iat).toBe(15);
    expect(one.payload).toEqual({
      iss: gateway.url,
      iat,
      exp,
      txn,
      aud: 'people',
      sub: 'c-000001',
      scope: expect.any(String) as string,
      req_wl: gateway.url,
      tctx: {
        consent: { ...consent, purposes: ['credit'] },
        detail: { nothing_lifts: true },
        policies: ['vip'],
        roles: ['customer'],
      },
      rctx: { client_id: 'budget-app', act: { sub: 'robot', act: { sub: 'service' } } },
    });
    expect(String(one.payload.scope).split(' ').sort()).toEqual(['email', 'name', 'people:write']);
    expect(two.payload).toMatchObject({
      aud: 'accounts',
      txn,
      scope: 'accounts',
      tctx: { consent: { ...consent, purposes: ['tax'] } },
    });
    expect(two.payload.tctx).not.toHaveProperty('policies');
    // Roles that are not configured for a subgraph are not sent to it.
    expect(two.payload.tctx).not.toHaveProperty('roles');
    expect(two.protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'txntoken+jwt' });
    // All requests to one subgraph carry the same token.
    const sent = [...people.requests, ...accounts.requests].map(({ headers }) => headers['txn-token']);
    expect(new Set(sent).size).toBe(2);
  });

  it('is for this transaction only', async () => {
    const token = await issuer.mint();
    await gateway.ask('{ hello }', { token });
    const first = (await verified(people)).payload.txn;
    await gateway.ask('{ hello }', { token });
    expect((await verified(people)).payload.txn).not.toBe(first);
  });

  it('does not exist for an anonymous caller, who cannot supply one', async () => {
    await gateway.ask('{ hello me { id } }', { headers: { 'txn-token': 'forged' } });
    expect(people.requests).toHaveLength(1);
    expect(people.requests[0]?.headers).not.toHaveProperty('txn-token');
  });

  it('cannot be supplied by an authenticated caller', async () => {
    await gateway.ask('{ hello }', { token: await issuer.mint(), headers: { 'Txn-Token': 'forged' } });
    await verified(people);
    expect(people.requests[0]?.text).not.toContain('forged');
  });

  it('survives a key rotation, whose public parts alone are published', async () => {
    const token = await issuer.mint({ scope: 'name' });
    await gateway.ask('{ me { name } }', { token });
    const before = tokenSentTo(people);
    await gateway.running.gateway.rotateKeys();
    const answer = await gateway.ask('{ me { name } }', { token });
    // The subgraph has fetched the keys and will not do so again soon; the next key was among them.
    expect(answer.body).toEqual({ data: { me: { name: 'Name of c-000001' } } });
    expect(decodeProtectedHeader(tokenSentTo(people)).kid).not.toBe(decodeProtectedHeader(before).kid);
    const published = await fetch(`${gateway.url}/.well-known/jwks.json`);
    const { keys } = (await published.json()) as { keys: Record<string, unknown>[] };
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    const set = createRemoteJWKSet(new URL(`${gateway.url}/.well-known/jwks.json`));
    await jwtVerify(before, set, { audience: 'people' });
  });

  it('a rotation to an unusable key changes nothing', async () => {
    const kidsOf = async () => (await gateway.running.gateway.jwks()).keys.map(({ kid }) => kid);
    const before = await kidsOf();
    await expect(
      gateway.running.gateway.rotateKeys({ kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }),
    ).rejects.toThrow();
    expect(await kidsOf()).toEqual(before);
  });
});

describe('a subgraph request', () => {
  it('carries no header or token of the client’s', async () => {
    const token = await issuer.mint({ scope: 'name accounts' });
    await gateway.ask(ALL, {
      token,
      headers: {
        cookie: 'session=distinctive-cookie',
        'x-user': 'distinctive-user',
        'x-forwarded-for': '203.0.113.7',
        'x-forwarded-user': 'admin',
        'apollo-require-preflight': 'distinctive',
        baggage: 'user=distinctive-baggage',
        tracestate: 'vendor=distinctive-state',
        'user-agent': 'distinctive-agent',
      },
    });
    const requests = [...people.requests, ...accounts.requests];
    expect(requests.length).toBeGreaterThanOrEqual(3);
    for (const { text, headers } of requests) {
      expect(text).not.toMatch(/distinctive|203\.0\.113\.7|admin/);
      expect(text).not.toContain(token);
      expect(Object.keys(headers).sort()).toEqual([
        'accept',
        'accept-encoding',
        'connection',
        'content-length',
        'content-type',
        'host',
        'traceparent',
        'txn-token',
      ]);
    }
  });

  it('continues a valid client trace (W3C Trace Context), or starts one', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    await gateway.ask(ALL, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } });
    for (const { headers } of [...people.requests, ...accounts.requests]) {
      expect(headers.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    }
    for (const broken of [undefined, 'x', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]) {
      people.requests.length = 0;
      await gateway.ask('{ hello }', broken === undefined ? {} : { headers: { traceparent: broken } });
      expect(people.requests[0]?.headers.traceparent).toMatch(
        /^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/,
      );
    }
  });
});

describe('a subgraph response', () => {
  it('loses its facts, which are for the record', async () => {
    const answer = await gateway.ask(ALL, { token: await issuer.mint({ scope: 'name accounts' }) });
    expect(answer.body.extensions).toBeUndefined();
    expect(answer.text).not.toContain('behalf');
  });

  it('loses malformed facts, too', async () => {
    people.instead = (_request, response) =>
      sendJson(response, 200, {
        data: { hello: 'x' },
        extensions: { behalf: { v: 2, fields: 'distinctive' } },
      });
    const answer = await gateway.ask('{ hello }');
    expect(answer.body).toEqual({ data: { hello: 'x' } });
    expect(gateway.log.codes()).toContain('SUBGRAPH_FACTS_MALFORMED');
  });

  it('loses its headers', async () => {
    people.instead = (_request, response) => {
      response.setHeader('set-cookie', 'a=b');
      response.setHeader('cache-control', 'public, max-age=1000');
      sendJson(response, 200, { data: { hello: 'x' } });
    };
    const { headers } = await gateway.ask('{ hello }');
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers['cache-control']).not.toContain('public');
  });

  it('loses details of resolver errors', async () => {
    const answer = await gateway.ask('{ me { id fails } }');
    expect(answer.body.data).toEqual({ me: { id: 'c-000001', fails: null } });
    expect(codes(answer)).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(answer.text).not.toMatch(/internal detail|5432|stacktrace/);
  });
});

describe('a subgraph that fails', () => {
  type Instead = (request: IncomingMessage, response: ServerResponse) => unknown;
  const text =
    (
      status: number,
      body: string,
      type = 'application/json',
      headers: Record<string, string> = {},
    ): Instead =>
    (_request, response) => {
      response.writeHead(status, { 'content-type': type, ...headers });
      response.end(body);
    };
  const trickle: Instead = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(timer));
  };

  it.each<[string, Instead, string]>([
    ['500', text(500, '{"message":"distinctive"}'), 'SUBREQUEST_HTTP_ERROR'],
    ['401', text(401, '{}'), 'SUBREQUEST_HTTP_ERROR'],
    [
      'a redirect',
      text(302, '', 'text/plain', { location: 'http://127.0.0.1:1/distinctive' }),
      'SUBREQUEST_HTTP_ERROR',
    ],
    ['HTML', text(200, '<p>distinctive</p>', 'text/html'), 'SUBREQUEST_MALFORMED_RESPONSE'],
    ['no content type', text(200, '{"data":{"hello":"distinctive"}}', ''), 'SUBREQUEST_MALFORMED_RESPONSE'],
    ['truncated JSON', text(200, '{"data":{"hello":"distinctive'), 'SUBREQUEST_MALFORMED_RESPONSE'],
    ['a JSON list', text(200, '[{"data":{"hello":"distinctive"}}]'), 'SUBREQUEST_MALFORMED_RESPONSE'],
    ['data that is text', text(200, '{"data":"distinctive"}'), 'SUBREQUEST_MALFORMED_RESPONSE'],
    [
      'errors that are not errors',
      text(200, '{"data":{},"errors":["distinctive"]}'),
      'SUBREQUEST_MALFORMED_RESPONSE',
    ],
    [
      'more than anybody can want',
      text(200, `{"data":{"hello":"${'x'.repeat(33 * 1024 * 1024)}"}}`),
      'SUBREQUEST_HTTP_ERROR',
    ],
    ['a connection that breaks', (request) => request.socket.destroy(), 'SUBREQUEST_HTTP_ERROR'],
    ['nothing', () => undefined, 'SUBREQUEST_HTTP_ERROR'],
    ['a trickle of bytes', trickle, 'SUBREQUEST_HTTP_ERROR'],
  ])('with %s is reported', async (_name, instead, code) => {
    people.instead = instead;
    // Those that never end would otherwise keep the client for ever.
    const answer = await gateway.ask('{ hello rates }', { token: await issuer.mint() });
    // Other subgraphs' data is kept.
    expect(answer.body.data).toEqual({ hello: null, rates: 'up' });
    expect(codes(answer)).toEqual([code]);
    expect(answer.text).not.toMatch(/distinctive|127\.0\.0\.1|localhost/);
    expect(answer.text).not.toContain(new URL(people.url).port);
    expect(gateway.log.of(code).at(-1)).toMatchObject({ subgraph: 'people' });
    people.instead = undefined;
    expect((await gateway.ask('{ hello }')).body).toEqual({ data: { hello: 'hello world' } });
  });

  it('to answer at all is reported', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const own = await startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      subgraphs: { people: { url: nowhere } },
    });
    const answer = await own.ask('{ hello rates }');
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({ hello: null, rates: 'up' });
    expect(codes(answer)).toEqual(['SUBREQUEST_HTTP_ERROR']);
    expect(answer.text).not.toContain(new URL(nowhere).port);
    expect(own.log.of('SUBREQUEST_HTTP_ERROR')).toEqual([{ subgraph: 'people', reason: 'ECONNREFUSED' }]);
  });
});
