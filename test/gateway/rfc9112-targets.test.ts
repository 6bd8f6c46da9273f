import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawRequest } from '../authority/raw-request.js';
import type { RawAnswer } from '../authority/raw-request.js';
import { Prover } from './dpop.js';
import { AUDIENCE, Cleanup, compose, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { TestGateway } from './support.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let gateway: TestGateway;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    http: { get: true },
    metrics: { listen: { port: 0 } },
  });
});
afterAll(() => cleanup.run());

describe.each(['http://gateway.example', 'HTTPS://elsewhere.example:8443', 'http://[::1]'])(
  'a target in absolute form, at %s, is the path in it',
  (origin) => {
    const ask = (path: string, method = 'GET', body = '', headers = {}): Promise<RawAnswer> =>
      rawRequest(gateway.url, { target: `${origin}${path}`, method, body, headers });

    it.each(['/graphql', '/', ''])('for an operation at "%s"', async (path) => {
      const answer = await ask(path, 'POST', '{"query":"{ hello }"}', JSON_TYPE);
      expect(answer.text).toContain('hello world');
    });

    it('for an operation by GET', async () => {
      const answer = await ask('/graphql?query={hello}', 'GET', '', { 'apollo-require-preflight': '1' });
      expect(answer.text).toContain('hello world');
    });

    it.each(['/health', '/health/live', '/health/ready?x', '/.well-known/jwks.json'])(
      'for %s',
      async (path) => {
        expect((await ask(path)).status).toBe(200);
      },
    );

    it('for metrics', async () => {
      const at = gateway.running.metricsUrl ?? '';
      expect((await rawRequest(at, { target: `${origin}/metrics` })).status).toBe(200);
      expect((await rawRequest(at, { target: `${origin}/other` })).status).toBe(404);
    });

    it('for a refusal, in the form of its address', async () => {
      expect((await ask('/graphql', 'DELETE')).text).toContain('"errors"');
      expect((await ask('/other')).status).toBe(404);
    });
  },
);

it('a proof names the gateway’s own address, not the one in the target', async () => {
  const prover = await Prover.create();
  const token = await issuer.mint({ cnf: prover.cnf, scope: 'name' });
  const ask = async (target: string, htu: string): Promise<RawAnswer> =>
    rawRequest(gateway.url, {
      target,
      method: 'POST',
      body: '{"query":"{ me { name } }"}',
      headers: {
        ...JSON_TYPE,
        authorization: `DPoP ${token}`,
        dpop: await prover.prove(htu, token),
      },
    });
  const own = `${gateway.url}/graphql`;
  expect((await ask('http://elsewhere.example/graphql', own)).text).toContain('"data":{"me":{"name"');
  const foreign = await ask('http://elsewhere.example/graphql', 'http://elsewhere.example/graphql');
  expect([foreign.status, foreign.text]).toEqual([401, expect.stringContaining('INVALID_DPOP_PROOF')]);
});

describe('a query by GET', () => {
  const ask = (query: string): Promise<RawAnswer> =>
    rawRequest(gateway.url, {
      target: `/graphql?query=${query}`,
      headers: { 'apollo-require-preflight': '1' },
    });

  it.each(['{hello(name:"%FF")}', '{hello(name:"%C3")}', '{hello(name:"%")}', '{hello(name:"%E2%28%A1")}'])(
    'is refused if it is not encoded text: %s',
    async (query) => {
      people.requests.length = 0;
      const { status, text: body } = await ask(query);
      expect(status).toBe(400);
      expect(JSON.parse(body)).toMatchObject({ errors: [{ extensions: { code: 'REQUEST_MALFORMED' } }] });
      expect(people.requests).toEqual([]);
    },
  );

  it('may have any character', async () => {
    const { text: body } = await ask(encodeURIComponent('{ hello(name: "Zoë 😀") }'));
    expect(JSON.parse(body)).toEqual({ data: { hello: 'hello Zoë 😀' } });
  });
});

it.each(['elsewhere.example:443', '/graphql', 'http://elsewhere.example/'])(
  'CONNECT %s is refused with a code, and the connection closed',
  async (target) => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n`);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 405 /);
    expect(head).toContain('allow: GET, HEAD, POST');
    expect(JSON.parse(body)).toMatchObject({ errors: [{ extensions: { code: 'METHOD_NOT_ALLOWED' } }] });
  },
);
