import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig, ConfigurationError, protectGateway } from '../../../gateway/index.js';
import { AUDIENCE, Cleanup, compose, send, startTestGateway, TestIssuer, TestSubgraph } from '../support.js';
import type { Answer, Headers, TestGateway } from '../support.js';
import { JSON_TYPE, OVERSIZE } from './hostile-requests.js';
import { limitedPolicy } from './limited-policy.js';

const ORIGIN = 'https://app.example';
const EXPOSED = 'DPoP-Nonce, WWW-Authenticate, Behalf-Transaction, Behalf-Receipt, Retry-After';
const HELLO = '{"query":"{ hello }"}';
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let gateway: TestGateway;
/** With every address and form of request. */
let open: TestGateway;
let without: TestGateway;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  const cors = { origins: [ORIGIN, 'http://localhost:5173'] };
  gateway = await startTestGateway(cleanup, compose(people), { issuers, cors });
  open = await startTestGateway(cleanup, compose(people), {
    issuers,
    cors,
    http: { get: true },
    administration: { scope: 'gateway:admin' },
    subgraphs: { people: { forwardHeaders: ['X-Language', 'dpop-hint'] } },
  });
  without = await startTestGateway(cleanup, compose(people), { issuers });
});
afterAll(() => cleanup.run());

async function startLimited(): Promise<TestGateway> {
  return startTestGateway(cleanup, compose(people), {
    policy: await limitedPolicy(cleanup),
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    cors: { origins: [ORIGIN] },
  });
}

function preflight(url: string, path: string, headers: Headers = {}): Promise<Answer> {
  const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'dpop' };
  return send(`${url}${path}`, '', { origin: ORIGIN, ...asked, ...headers }, 'OPTIONS');
}

/** The answer to these bytes, as they arrive. */
async function raw(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(request));
  return text(socket);
}

const corsHeaders = ({ headers }: Answer): string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

describe('a preflight', () => {
  it.each([ORIGIN, 'http://localhost:5173'])('of %s is answered without authentication', async (origin) => {
    const answer = await preflight(gateway.url, '/graphql', { origin, authorization: 'Bearer a.b.c' });
    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect(answer.headers).toMatchObject({
      vary: 'Origin',
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'Authorization, DPoP, Content-Type, Behalf-Minimized',
      'access-control-max-age': '600',
    });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it.each([
    ['/graphql', 'GET, HEAD, POST'],
    ['/', 'GET, HEAD, POST'],
    ['/admin/explain', 'POST'],
    ['/.well-known/jwks.json', 'GET, HEAD'],
    ['/.well-known/oauth-protected-resource/graphql', 'GET, HEAD'],
    ['/.well-known/oauth-protected-resource', 'GET, HEAD'],
    ['/health/ready', 'GET, HEAD'],
  ])('of %s names the methods that it has', async (path, methods) => {
    const answer = await preflight(open.url, path);
    expect(answer.status).toBe(204);
    expect(answer.headers['access-control-allow-methods']).toBe(methods);
  });

  it('permits the headers that the configuration reads from clients', async () => {
    const answer = await preflight(open.url, '/graphql');
    expect(answer.headers['access-control-allow-headers']).toBe(
      'Authorization, DPoP, Content-Type, Behalf-Minimized, Apollo-Require-Preflight, X-Apollo-Operation-Name, X-Language, dpop-hint',
    );
  });

  it.each<[string, Headers]>([
    ['another origin', { origin: 'https://evil.example' }],
    ['a sandboxed page', { origin: 'null' }],
    ['another scheme', { origin: 'http://app.example' }],
    ['another port', { origin: 'https://app.example:8443' }],
    ['a subdomain', { origin: 'https://a.app.example' }],
    ['a longer name', { origin: 'https://app.example.evil.example' }],
    ['another case', { origin: 'https://APP.example' }],
    ['two origins in one header', { origin: `${ORIGIN} https://evil.example` }],
    ['no origin', { origin: '' }],
    ['*', { origin: '*' }],
  ])('of %s is refused', async (_what, headers) => {
    const answer = await preflight(gateway.url, '/graphql', headers);
    expect(answer.status).toBe(405);
    expect(corsHeaders(answer)).toEqual([]);
    expect(answer.headers.vary).toBe('Origin');
  });

  it('is refused where no origins are configured', async () => {
    const answer = await preflight(without.url, '/graphql');
    expect(answer.status).toBe(405);
    expect(corsHeaders(answer)).toEqual([]);
    expect(answer.headers.vary).toBeUndefined();
  });

  it('does not make an address exist', async () => {
    expect((await preflight(gateway.url, '/admin/explain')).status).toBe(404);
    expect((await preflight(gateway.url, '/txn-token')).status).toBe(404);
  });
});

describe('a response', () => {
  const answers: [string, () => Promise<Answer>, number][] = [
    ['an answer', () => ask(HELLO), 200],
    ['an unknown token', () => ask(HELLO, { authorization: 'Bearer a.b.c' }), 401],
    ['an unreadable body', () => ask('{'), 400],
    ['an oversize body', () => ask(OVERSIZE), 413],
    ['a compressed body', () => ask(HELLO, { 'content-encoding': 'gzip' }), 415],
    ['an unknown expectation', () => ask(HELLO, { expect: 'wonders' }), 417],
    [
      'an unknown expectation at another address',
      () => send(`${gateway.url}/health/live`, '', { origin: ORIGIN, expect: 'wonders' }, 'GET'),
      417,
    ],
    ['a method', () => send(`${gateway.url}/graphql`, '', { origin: ORIGIN }, 'DELETE'), 405],
    ['an unknown address', () => send(`${gateway.url}/nowhere`, '', { origin: ORIGIN }, 'GET'), 404],
    ['keys', () => send(`${gateway.url}/.well-known/jwks.json`, '', { origin: ORIGIN }, 'GET'), 200],
    [
      'metadata',
      () => send(`${gateway.url}/.well-known/oauth-protected-resource`, '', { origin: ORIGIN }, 'GET'),
      200,
    ],
    ['administration', () => send(`${open.url}/admin/explain`, HELLO, { origin: ORIGIN, ...JSON_TYPE }), 401],
  ];
  const ask = (body: string | Uint8Array, headers: Headers = {}): Promise<Answer> =>
    send(`${gateway.url}/graphql`, body, { origin: ORIGIN, ...JSON_TYPE, ...headers });

  it.each(answers)('can be read by the page: %s', async (_what, get, status) => {
    const answer = await get();
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      vary: expect.stringMatching(/^Origin(, Behalf-Minimized)?$/) as unknown,
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers': EXPOSED,
    });
  });

  it('with the status 503 can be read by the page', async () => {
    issuer.mode = 'error';
    try {
      const token = await issuer.mint();
      const answer = await ask(HELLO, { authorization: `Bearer ${token}` });
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
    } finally {
      issuer.mode = 'up';
    }
  });

  it('with the status 429 can be read by the page', async () => {
    const limited = await startLimited();
    const token = await issuer.mint();
    const asked = (): Promise<Answer> =>
      send(`${limited.url}/graphql`, HELLO, {
        origin: ORIGIN,
        ...JSON_TYPE,
        authorization: `Bearer ${token}`,
      });
    await asked();
    const answer = await asked();
    expect(answer.status).toBe(429);
    expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
    expect(answer.headers['access-control-expose-headers']).toBe(EXPOSED);
  });

  const LARGE = 'x'.repeat(20_000);
  it.each([
    [
      'headers that are too large',
      `POST /graphql HTTP/1.1\r\nHost: a\r\nOrigin: ${ORIGIN}\r\nX: ${LARGE}\r\n\r\n`,
      431,
    ],
    ['any case of the name', `POST / HTTP/1.1\r\nHost: a\r\noRiGiN:${ORIGIN} \r\nX: ${LARGE}\r\n\r\n`, 431],
    ['no HTTP', `POST /graphql HTTP/9\r\nOrigin: ${ORIGIN}\r\n\r\n`, 400],
    ['a wrong length', `POST / HTTP/1.1\r\nHost: a\r\nOrigin: ${ORIGIN}\r\nContent-Length: x\r\n\r\n`, 400],
  ])('of a request that cannot be read has the headers: %s', async (_what, request, status) => {
    const answer = await raw(gateway.url, request);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain(`\r\naccess-control-allow-origin: ${ORIGIN}\r\n`);
    expect(answer).toContain(`\r\naccess-control-expose-headers: ${EXPOSED}\r\n`);
    expect(answer).toContain('\r\nvary: Origin\r\n');
    expect(await raw(without.url, request)).not.toMatch(/access-control|vary/);
  });

  it.each([
    ['another origin', 'Origin: https://evil.example'],
    ['two origins', `Origin: ${ORIGIN}\r\nOrigin: ${ORIGIN}`],
    ['no origin', 'Accept: */*'],
    ['an origin within another header', `X-Origin: ${ORIGIN}`],
  ])('of a request that cannot be read has none for %s', async (_what, header) => {
    const answer = await raw(gateway.url, `POST / HTTP/1.1\r\nHost: a\r\n${header}\r\nX: ${LARGE}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('\r\nvary: Origin\r\n');
    expect(answer).not.toContain('access-control');
  });

  it('for another page is sent, and the browser withholds it', async () => {
    const answer = await ask(HELLO, { origin: 'https://evil.example' });
    expect(answer.status).toBe(200);
    expect(corsHeaders(answer)).toEqual([]);
    expect(answer.headers.vary).toBe('Origin, Behalf-Minimized');
  });
});

describe('an origin in the configuration', () => {
  const check = (...origins: readonly unknown[]): unknown =>
    checkConfig({
      supergraph: '/supergraph.graphql',
      issuers: [{ issuer: 'https://login.example', audience: AUDIENCE }],
      cors: { origins },
    });

  it.each([
    'https://app.example',
    'http://localhost:5173',
    'https://[::1]:8443',
    'https://xn--bcher-kva.example',
  ])('may be %s', (origin) => {
    expect(check(origin)).toMatchObject({ cors: { origins: [origin] } });
  });

  it.each([
    ['https://app.example/', 'did you mean https://app.example?'],
    ['https://app.example/path', 'did you mean https://app.example?'],
    ['https://app.example:443', 'did you mean https://app.example?'],
    ['https://App.example', 'did you mean https://app.example?'],
    ['https://bücher.example', 'did you mean https://xn--bcher-kva.example?'],
    ['https://user@app.example', 'did you mean https://app.example?'],
    ['https://app.example?x', 'did you mean https://app.example?'],
    ['*', 'must be an origin'],
    ['https://*.app.example', 'must be an origin'],
    ['null', 'must be an origin'],
    ['app.example', 'must be an origin'],
    ['', 'must be an origin'],
    ['file:///app.html', 'must be an origin'],
    ['javascript:alert(1)', 'must be an origin'],
  ])('must not be %s', (origin, problem) => {
    expect(() => check('https://other.example', origin)).toThrow(ConfigurationError);
    expect(() => check('https://other.example', origin)).toThrow('cors.origins[1]: must be an origin');
    expect(() => check('https://other.example', origin)).toThrow(problem);
  });

  it('is listed once, as text', () => {
    expect(() => check(ORIGIN, ORIGIN)).toThrow('cors.origins[1]: is listed twice');
    expect(() => check(5)).toThrow('cors.origins[0]');
    expect(() => check()).toThrow('cors.origins');
  });

  it('is not an option of the library, whose server is another', () => {
    const options = { issuers: [], cors: { origins: [ORIGIN] } };
    expect(() => protectGateway({ supergraphSdl: 'x' }, options as never)).toThrow(
      'cors: is a key of the configuration file only',
    );
  });
});
