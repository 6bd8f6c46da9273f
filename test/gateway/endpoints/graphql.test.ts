import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from '../support.js';
import type { TestGateway } from '../support.js';
import { BROKEN_UTF8, expectHeadLikeGet, JSON_TYPE, OVERSIZE, sendHostile } from './hostile-requests.js';
import type { HostileRequest } from './hostile-requests.js';

const RESPONSE_TYPE = 'application/graphql-response+json';
const cleanup = new Cleanup();
let people: TestSubgraph;
let closed: TestGateway;
/** With GET and batches of at most two. */
let open: TestGateway;

beforeAll(async () => {
  const issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  closed = await startTestGateway(cleanup, compose(people), { issuers });
  open = await startTestGateway(cleanup, compose(people), {
    issuers,
    http: { get: true, batch: { maxOperations: 2 } },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

const HELLO = '{"query":"{ hello }"}';
const TOUCH = '{"query":"mutation { touch }"}';
const batch = (operations: number): string => `[${Array.from({ length: operations }, () => HELLO).join()}]`;

/** Apollo Server answers those that it alone can judge, with its own code `BAD_REQUEST`. */
const REFUSED: [string, HostileRequest][] = [
  ['GET', { method: 'GET', status: 405, code: 'METHOD_NOT_ALLOWED', allow: 'POST' }],
  ['HEAD', { method: 'HEAD', status: 405, code: 'METHOD_NOT_ALLOWED', allow: 'POST' }],
  [
    'PUT',
    {
      method: 'PUT',
      body: HELLO,
      headers: JSON_TYPE,
      status: 405,
      code: 'METHOD_NOT_ALLOWED',
      allow: 'POST',
    },
  ],
  ['DELETE', { method: 'DELETE', status: 405, code: 'METHOD_NOT_ALLOWED', allow: 'POST' }],
  ['OPTIONS', { method: 'OPTIONS', status: 405, code: 'METHOD_NOT_ALLOWED', allow: 'POST' }],
  [
    'a body of unknown method at /',
    { path: '/', method: 'PATCH', status: 405, code: 'METHOD_NOT_ALLOWED', allow: 'POST' },
  ],
  ['an oversize body', { body: OVERSIZE, headers: JSON_TYPE, status: 413, code: 'BODY_TOO_LARGE' }],
  [
    'an oversize body without a length',
    {
      body: OVERSIZE,
      headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' },
      status: 413,
      code: 'BODY_TOO_LARGE',
    },
  ],
  [
    'a compressed body',
    {
      body: gzipSync(HELLO),
      headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
      status: 415,
      code: 'UNSUPPORTED_CONTENT_ENCODING',
    },
  ],
  [
    'an unknown encoding',
    {
      body: HELLO,
      headers: { ...JSON_TYPE, 'content-encoding': 'identity, x' },
      status: 415,
      code: 'UNSUPPORTED_CONTENT_ENCODING',
    },
  ],
  ['a batch', { body: batch(2), headers: JSON_TYPE, status: 400, code: 'BATCHES_NOT_SUPPORTED' }],
  ['an empty batch', { body: '[]', headers: JSON_TYPE, status: 400, code: 'BATCHES_NOT_SUPPORTED' }],
  ['an empty body', { body: '', headers: JSON_TYPE, status: 400, code: 'BAD_REQUEST' }],
  ['broken JSON', { body: '{"query":', headers: JSON_TYPE, status: 400, code: 'BAD_REQUEST' }],
  ['broken UTF-8', { body: BROKEN_UTF8, headers: JSON_TYPE, status: 400, code: 'BAD_REQUEST' }],
  ['JSON that is text', { body: '"{ hello }"', headers: JSON_TYPE, status: 400, code: 'BAD_REQUEST' }],
  ['JSON that is null', { body: 'null', headers: JSON_TYPE, status: 400, code: 'BAD_REQUEST' }],
  ['no query', { body: '{}', headers: JSON_TYPE, status: 400, code: 'BAD_REQUEST' }],
  ['a query that is a number', { body: '{"query":1}', headers: JSON_TYPE, status: 400, code: 'BAD_REQUEST' }],
  [
    'text, as another site’s form sends it (CSRF)',
    { body: HELLO, headers: { 'content-type': 'text/plain' }, status: 400, code: 'BAD_REQUEST' },
  ],
  [
    'a form',
    {
      body: 'query={hello}',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      status: 400,
      code: 'BAD_REQUEST',
    },
  ],
  ['no content type', { body: HELLO, status: 400, code: 'BAD_REQUEST' }],
  [
    'a content type that is not JSON',
    { body: HELLO, headers: { 'content-type': 'application/xml' }, status: 400, code: 'BAD_REQUEST' },
  ],
];

describe.each(REFUSED)('/graphql refuses %s', (_what, hostile) => {
  it.each([
    [undefined, 'application/json; charset=utf-8'],
    ['application/json', 'application/json; charset=utf-8'],
    [RESPONSE_TYPE, `${RESPONSE_TYPE}; charset=utf-8`],
  ])('in GraphQL’s form, if the client accepts %s', async (accept, type) => {
    const headers = { ...hostile.headers, ...(accept === undefined ? {} : { accept }) };
    const answer = await sendHostile(closed.url, '/graphql', { ...hostile, headers });
    expect(answer.status).toBe(hostile.status);
    expect(answer.headers.allow).toBe(hostile.allow);
    expect(people.requests).toEqual([]);
    expect(answer.headers['content-type']).toBe(type);
    if (hostile.method === 'HEAD') return;
    expect(Object.keys(answer.body)).toEqual(['errors']);
    expect(codes(answer)).toEqual([hostile.code]);
    expect(answer.body.errors?.[0]?.message).toMatch(/\w/);
  });
});

it.each([
  ['too many operations', 3],
  ['no operation', 0],
])('/graphql refuses a batch of %s, and says how many it takes', async (_what, operations) => {
  const answer = await send(`${open.url}/graphql`, batch(operations), JSON_TYPE);
  expect(answer.status).toBe(400);
  expect(answer.body.errors?.[0]?.extensions).toEqual({ code: 'BATCH_SIZE', maxOperations: 2 });
  expect(people.requests).toEqual([]);
});

describe.each([
  'null',
  '1',
  '"{ hello }"',
  '[]',
  '{}',
  '[{"query":"{ hello }"}]',
  '{"query":5}',
  '{"query":["{ hello }"]}',
  '{"query":{"kind":"Document"}}',
  '{"query":"{ hello }","operationName":7}',
  '{"query":"{ hello }","variables":[]}',
  '{"query":"{ hello }","variables":"{}"}',
  '{"query":"{ hello }","variables":12345678901234567890}',
  '{"query":"{ hello }","extensions":"{}"}',
  '{"query":"{ hello }","extensions":false}',
])('a batch with the entry %s', (entry) => {
  it.each([
    ['first', 0, `[${entry},${TOUCH}]`],
    ['last', 1, `[${TOUCH},${entry}]`],
  ])('is refused as a whole before anything is executed, if it is the %s', async (_which, position, body) => {
    for (const accept of ['application/json', RESPONSE_TYPE]) {
      const answer = await send(`${open.url}/graphql`, body, { ...JSON_TYPE, accept });
      expect(answer.status).toBe(400);
      expect(answer.headers['content-type']).toBe(`${accept}; charset=utf-8`);
      expect(answer.body.errors?.[0]?.extensions).toEqual({ code: 'BATCH_ENTRY_INVALID', entry: position });
    }
    expect(people.requests).toEqual([]);
  });
});

it('an entry that fails by itself leaves the answers of the others in a batch', async () => {
  for (const failing of [
    '{"query":"{"}',
    '{"query":null}',
    '{"query":""}',
    '{"variables":{}}',
    '{"extensions":{}}',
  ]) {
    const answer = await send(`${open.url}/graphql`, `[${HELLO},${failing}]`, JSON_TYPE);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject([{ data: { hello: 'hello world' } }, { errors: [{}] }]);
  }
});

it.each([
  `${RESPONSE_TYPE}; charset=utf-8`,
  `${RESPONSE_TYPE};charset=UTF-8, application/json;q=0.5`,
  `application/json;q=0, ${RESPONSE_TYPE}`,
])('the status tells the outcome to a client that accepts %s', async (accept) => {
  const body = '{"query":"query ($id: ID!) { person(id: $id) { id } }"}';
  const answer = await send(`${closed.url}/graphql`, body, { ...JSON_TYPE, accept });
  expect(answer.status).toBe(400);
  expect(answer.headers['content-type']).toBe(`${RESPONSE_TYPE}; charset=utf-8`);
  const refused = await send(`${closed.url}/graphql`, '[]', { ...JSON_TYPE, accept });
  expect(refused.headers['content-type']).toBe(`${RESPONSE_TYPE}; charset=utf-8`);
});

it('an identity encoding is none', async () => {
  const answer = await send(`${closed.url}/graphql`, HELLO, { ...JSON_TYPE, 'content-encoding': 'Identity' });
  expect(answer.body.data).toEqual({ hello: 'hello world' });
});

describe('HEAD', () => {
  const preflighted = { 'apollo-require-preflight': 'true' };

  it('has the headers of GET where the configuration permits GET', async () => {
    await expectHeadLikeGet(`${open.url}/graphql?query={hello}`, preflighted);
    await expectHeadLikeGet(`${open.url}/graphql?query={nothing}`, preflighted);
  });

  it('never runs a mutation', async () => {
    const answer = await send(`${open.url}/graphql?query=mutation{touch}`, '', preflighted, 'HEAD');
    expect(answer.status).toBe(405);
    expect(people.requests).toEqual([]);
  });
});
