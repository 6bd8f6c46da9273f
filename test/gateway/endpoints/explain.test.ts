import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AUDIENCE, Cleanup, compose, startTestGateway, TestIssuer, TestSubgraph } from '../support.js';
import type { TestGateway } from '../support.js';
import { BROKEN_UTF8, expectRefusal, JSON_TYPE, OVERSIZE, sendHostile } from './hostile-requests.js';
import type { HostileRequest } from './hostile-requests.js';

const PATH = '/admin/explain';
const cleanup = new Cleanup();
let gateway: TestGateway;
let authorization: string;

beforeAll(async () => {
  const issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    administration: { scope: 'gateway:admin' },
  });
  authorization = `Bearer ${await issuer.mint({ scope: 'gateway:admin' })}`;
});
afterAll(() => cleanup.run());

const QUERY = '{"query":"{ hello }"}';
const METHOD = { status: 405, code: 'METHOD_NOT_ALLOWED', allow: 'POST' };
const MALFORMED = { headers: JSON_TYPE, status: 400, code: 'BODY_MALFORMED' };

it.each<[string, HostileRequest]>([
  ['GET', { method: 'GET', ...METHOD }],
  ['PUT', { method: 'PUT', body: QUERY, headers: JSON_TYPE, ...METHOD }],
  ['OPTIONS', { method: 'OPTIONS', ...METHOD }],
  [
    'text, as another site’s form sends it (CSRF)',
    { body: QUERY, headers: { 'content-type': 'text/plain' }, status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' },
  ],
  ['no content type', { body: QUERY, status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' }],
  [
    'a compressed body',
    {
      body: gzipSync(QUERY),
      headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
      status: 415,
      code: 'UNSUPPORTED_CONTENT_ENCODING',
    },
  ],
  ['an oversize body', { body: OVERSIZE, headers: JSON_TYPE, status: 413, code: 'BODY_TOO_LARGE' }],
  ['an empty body', { ...MALFORMED, body: '' }],
  ['broken JSON', { ...MALFORMED, body: '{"query":' }],
  ['broken UTF-8', { ...MALFORMED, body: BROKEN_UTF8 }],
  ['a batch', { ...MALFORMED, body: `[${QUERY}]` }],
  ['an unknown member', { ...MALFORMED, body: '{"query":"{ hello }","variables":{}}' }],
  [
    'an operation that does not fit',
    { body: '{"query":"{ nothing }"}', headers: JSON_TYPE, status: 400, code: 'OPERATION_INVALID' },
  ],
])('/admin/explain refuses %s', async (_what, hostile) => {
  const answer = await sendHostile(gateway.url, PATH, {
    ...hostile,
    headers: { ...hostile.headers, authorization },
  });
  if (hostile.code !== 'OPERATION_INVALID') expectRefusal(answer, hostile);
  else expect(answer.body).toMatchObject({ error: hostile.code, errors: [{}] });
});
