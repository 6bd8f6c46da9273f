import { afterAll, beforeAll, expect, it } from 'vitest';
import { AUDIENCE, Cleanup, compose, startTestGateway, TestIssuer, TestSubgraph } from '../support.js';
import type { TestGateway } from '../support.js';
import { expectRefusal, JSON_TYPE, OVERSIZE, sendHostile } from './hostile-requests.js';
import type { HostileRequest } from './hostile-requests.js';

const PATH = '/txn-token';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const cleanup = new Cleanup();
let gateway: TestGateway;

beforeAll(async () => {
  const issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: {
      passOn: { workloads: [{ name: 'people', secret: 'x'.repeat(32), audiences: ['people'] }] },
    },
  });
});
afterAll(() => cleanup.run());

const METHOD = { status: 405, code: 'METHOD_NOT_ALLOWED', allow: 'POST' };

it.each<[string, HostileRequest]>([
  ['GET', { method: 'GET', ...METHOD }],
  ['PUT', { method: 'PUT', headers: FORM, ...METHOD }],
  ['OPTIONS', { method: 'OPTIONS', ...METHOD }],
  ['JSON', { body: '{}', headers: JSON_TYPE, status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' }],
  ['no content type', { body: 'a=b', status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' }],
  ['an oversize body', { body: OVERSIZE, headers: FORM, status: 413, code: 'BODY_TOO_LARGE' }],
])('/txn-token refuses %s', async (_what, hostile) => {
  expectRefusal(await sendHostile(gateway.url, PATH, hostile), hostile);
});

it.each([
  ['an empty form', ''],
  ['broken UTF-8', Buffer.from('grant_type=\xff', 'latin1')],
])('/txn-token answers %s with a code of OAuth (RFC 6749 section 5.2)', async (_what, body) => {
  const answer = await sendHostile(gateway.url, PATH, { body, headers: FORM, status: 400, code: '' });
  expect([400, 401]).toContain(answer.status);
  expect((answer.body as { error?: string }).error).toMatch(/^(?:invalid_client|unsupported_grant_type)$/);
});
