import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from '../support.js';
import type { Answer, Headers, TestGateway } from '../support.js';
import { limitedPolicy } from './limited-policy.js';
import { JSON_TYPE, OVERSIZE } from './hostile-requests.js';

// Whatever a client of `/graphql` does wrong, it can read why: a GraphQL response with a stable code.

const HELLO = '{"query":"{ hello }"}';
const TOUCH = '{"query":"mutation { touch }"}';
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let gateway: TestGateway;
let closed: TestGateway;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  gateway = await start({ http: { get: true, batch: { maxOperations: 2 } } });
  closed = await start({ authorization: { anonymous: 'refuse' } });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

function start(config: Omit<Parameters<typeof startTestGateway>[2], 'issuers'>): Promise<TestGateway> {
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  return startTestGateway(cleanup, compose(people), { issuers, ...config });
}

const post = (body: string, headers: Headers = {}, at = gateway): Promise<Answer> =>
  send(`${at.url}/graphql`, body, { ...JSON_TYPE, ...headers });

/** Sends these bytes, and no more; the sender still reads. */
async function raw(bytes: string, { endsNow = false } = {}): Promise<Answer> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.write(bytes);
  if (endsNow) socket.end();
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const pairs = lines.map((line) => line.split(': ') as [string, string]);
  const headers = Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  return {
    status: Number(first.split(' ')[1]),
    headers,
    text: body,
    body: JSON.parse(body) as Answer['body'],
  };
}

const head = (...lines: readonly string[]): string =>
  ['POST /graphql HTTP/1.1', 'Host: gateway', 'Content-Type: application/json', ...lines, '', ''].join(
    '\r\n',
  );

async function withoutKeys(): Promise<Answer> {
  const failing = await TestIssuer.start();
  cleanup.add(() => failing.close());
  failing.mode = 'error';
  const issuers = [{ issuer: failing.url, audience: AUDIENCE }];
  const without = await startTestGateway(cleanup, compose(people), { issuers });
  return post(HELLO, { authorization: `Bearer ${await failing.mint()}` }, without);
}

async function withoutAudit(): Promise<Answer> {
  const database = `postgres://behalf@127.0.0.1:${await freePort()}/behalf`;
  const pseudonymKey = Buffer.alloc(32, 7).toString('base64url');
  return post(HELLO, {}, await start({ audit: { mode: 'required', database, pseudonymKey } }));
}

async function withoutRevocations(): Promise<Answer> {
  const stale = await start({ revocation: { streams: [{ issuer: issuer.url, secret: 'distinctive' }] } });
  return post(HELLO, { authorization: `Bearer ${await issuer.mint()}` }, stale);
}

async function tooOften(): Promise<Answer> {
  const limited = await start({ policy: await limitedPolicy(cleanup) });
  const headers = { authorization: `Bearer ${await issuer.mint()}` };
  await post(HELLO, headers, limited);
  return post(HELLO, headers, limited);
}

async function inTrouble(): Promise<Answer> {
  const begin = vi.spyOn(gateway.running.gateway, 'begin').mockImplementation(() => {
    throw new Error('our bug');
  });
  try {
    return await post(HELLO);
  } finally {
    begin.mockRestore();
  }
}

/** The rest of the body never comes. */
async function tooSlow(): Promise<Answer> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    let isAnswered = false;
    const answer = raw(`${head('Content-Length: 100')}{`).finally(() => (isAnswered = true));
    // The gateway begins to wait a moment later, and others of this process have timers too.
    await until(async () => {
      await vi.advanceTimersByTimeAsync(30_000);
      return isAnswered;
    }, 'the gateway has waited for the body');
    return await answer;
  } finally {
    vi.useRealTimers();
  }
}

const accepting = (accept: string): Headers => ({ accept });
const RESPONSE_TYPE = accepting('application/graphql-response+json');

it.each<[string, number, string, () => Promise<Answer>]>([
  ['broken JSON', 400, 'BAD_REQUEST', () => post('{"query":')],
  ['an empty body', 400, 'BAD_REQUEST', () => post('')],
  ['no query', 400, 'BAD_REQUEST', () => post('{}')],
  ['a query that does not parse', 400, 'GRAPHQL_PARSE_FAILED', () => post('{"query":"{"}')],
  ['an unknown field', 400, 'GRAPHQL_VALIDATION_FAILED', () => post('{"query":"{ unknown }"}')],
  [
    'an unknown operation',
    400,
    'OPERATION_RESOLUTION_FAILURE',
    () => post('{"query":"query A { hello }","operationName":"B"}'),
  ],
  [
    'an unsupported variable',
    400,
    'BAD_USER_INPUT',
    () => post('{"query":"query ($id: ID!) { person(id: $id) { id } }"}', RESPONSE_TYPE),
  ],
  ['another content type', 400, 'BAD_REQUEST', () => post(HELLO, { 'content-type': 'text/plain' })],
  [
    'another site’s form',
    400,
    'BAD_REQUEST',
    () => post('query={hello}', { 'content-type': 'application/x-www-form-urlencoded' }),
  ],
  ['too many operations', 400, 'BATCH_SIZE', () => post(`[${HELLO},${HELLO},${HELLO}]`)],
  ['no operation', 400, 'BATCH_SIZE', () => post('[]')],
  ['a batch where there are none', 400, 'BATCHES_NOT_SUPPORTED', () => post(`[${HELLO}]`, {}, closed)],
  ['two tokens', 400, 'INVALID_REQUEST', () => post(HELLO, { authorization: ['Bearer a', 'Bearer b'] })],
  [
    'a body that breaks off',
    400,
    'REQUEST_MALFORMED',
    () => raw(`${head('Content-Length: 100')}{`, { endsNow: true }),
  ],
  [
    'a chunk without a size',
    400,
    'REQUEST_MALFORMED',
    () => raw(`${head('Transfer-Encoding: chunked')}x\r\n`),
  ],
  ['something other than HTTP', 400, 'REQUEST_MALFORMED', () => raw('{ hello }\r\n\r\n')],
  ['no host', 400, 'REQUEST_MALFORMED', () => raw('POST /graphql HTTP/1.1\r\n\r\n')],
  ['no token', 401, 'UNAUTHENTICATED', () => post(HELLO, {}, closed)],
  ['an unknown token', 401, 'INVALID_TOKEN', () => post(HELLO, { authorization: 'Bearer a.b.c' })],
  ['a token without its proof', 401, 'INVALID_TOKEN', () => post(HELLO, { authorization: 'DPoP a.b.c' })],
  [
    'nothing that is permitted',
    403,
    'UNAUTHORIZED_FIELD_OR_TYPE',
    async () =>
      post('{"query":"{ me { email } }"}', {
        ...RESPONSE_TYPE,
        authorization: `Bearer ${await issuer.mint()}`,
      }),
  ],
  ['another method', 405, 'METHOD_NOT_ALLOWED', () => send(`${gateway.url}/graphql`, '', {}, 'DELETE')],
  ['GET where it is off', 405, 'METHOD_NOT_ALLOWED', () => send(`${closed.url}/graphql`, '', {}, 'GET')],
  [
    'a mutation by GET',
    405,
    'BAD_REQUEST',
    () =>
      send(`${gateway.url}/graphql?query=mutation{touch}`, '', { 'apollo-require-preflight': 'true' }, 'GET'),
  ],
  ['a type that is not offered', 406, 'NOT_ACCEPTABLE', () => post(TOUCH, accepting('text/html'))],
  [
    'a type that is not offered by GET',
    406,
    'NOT_ACCEPTABLE',
    () =>
      send(
        `${gateway.url}/graphql?query={hello}`,
        '',
        { 'apollo-require-preflight': 'true', ...accepting('text/html') },
        'GET',
      ),
  ],
  [
    'a batch in a type that is not offered',
    406,
    'NOT_ACCEPTABLE',
    () => post(`[${TOUCH},${TOUCH}]`, accepting('text/html')),
  ],
  ['a body that does not arrive', 408, 'BODY_TIMEOUT', tooSlow],
  ['an oversize body', 413, 'BODY_TOO_LARGE', () => post(OVERSIZE)],
  ['a compressed body', 415, 'UNSUPPORTED_CONTENT_ENCODING', () => post(HELLO, { 'content-encoding': 'br' })],
  ['an unknown expectation', 417, 'EXPECTATION_FAILED', () => post(HELLO, { expect: 'wonders' })],
  ['too many requests', 429, 'RATE_LIMITED', tooOften],
  ['oversize headers', 431, 'HEADERS_TOO_LARGE', () => raw(head(`X-Large: ${'x'.repeat(20_000)}`))],
  ['an error of ours', 500, 'INTERNAL_SERVER_ERROR', inTrouble],
  ['keys that are missing', 503, 'ISSUER_KEYS_UNAVAILABLE', withoutKeys],
  ['records that cannot be kept', 503, 'AUDIT_UNAVAILABLE', withoutAudit],
  ['revocations that are unknown', 503, 'REVOCATION_STATE_STALE', withoutRevocations],
])('/graphql refuses %s with %i %s', async (_what, status, code, ask) => {
  const answer = await ask();
  expect([answer.status, codes(answer)]).toEqual([status, [code]]);
  expect(answer.body.errors?.[0]?.message).toMatch(/\w/);
  expect(answer.headers['content-type']).toMatch(
    /^application\/(json|graphql-response\+json); charset=utf-8$/,
  );
  expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.text)));
  expect(people.queries).not.toContain('touch');
});
