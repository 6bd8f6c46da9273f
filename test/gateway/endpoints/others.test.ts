import { afterAll, beforeAll, describe, it } from 'vitest';
import { AUDIENCE, Cleanup, compose, startTestGateway, TestIssuer, TestSubgraph } from '../support.js';
import type { TestGateway } from '../support.js';
import { expectHeadLikeGet, expectRefusal, sendHostile } from './hostile-requests.js';

const cleanup = new Cleanup();
let gateway: TestGateway;
let metricsUrl: string;

beforeAll(async () => {
  const issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    metrics: { listen: { port: 0 } },
  });
  metricsUrl = gateway.running.metricsUrl ?? '';
});
afterAll(() => cleanup.run());

describe.each([
  ['/health'],
  ['/health/live'],
  ['/health/ready'],
  ['/.well-known/jwks.json'],
  ['/.well-known/oauth-protected-resource'],
  ['/.well-known/oauth-protected-resource/graphql'],
])('%s', (path) => {
  it('answers HEAD as GET, without the body', () => expectHeadLikeGet(`${gateway.url}${path}`));

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const hostile = { method, status: 405, code: 'METHOD_NOT_ALLOWED' };
    const answer = await sendHostile(gateway.url, path, hostile);
    expectRefusal(answer, { ...hostile, allow: 'GET, HEAD' });
  });
});

describe('/metrics', () => {
  it('refuses other methods', async () => {
    const hostile = { method: 'POST', status: 405, code: 'METHOD_NOT_ALLOWED', allow: 'GET, HEAD' };
    expectRefusal(await sendHostile(metricsUrl, '/metrics', hostile), hostile);
  });

  it('is the only address of its listener', async () => {
    for (const path of ['/', '/graphql/', '/health', '/metrics/']) {
      const hostile = { method: 'GET', status: 404, code: 'NOT_FOUND' };
      expectRefusal(await sendHostile(metricsUrl, path, hostile), hostile);
    }
  });

  it('answers HEAD', async () => {
    const answer = await sendHostile(metricsUrl, '/metrics', { method: 'HEAD', status: 200, code: '' });
    if (answer.status !== 200 || answer.text !== '') throw new Error('HEAD is not answered');
  });
});

describe('an unknown path', () => {
  it.each(['/graphql/', '/GraphQL', '/admin/explain', '/txn-token', '/favicon.ico'])(
    'is not found: %s',
    async (path) => {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
        const hostile = { method, status: 404, code: 'NOT_FOUND' };
        const answer = await sendHostile(gateway.url, path, hostile);
        if (method !== 'HEAD') expectRefusal(answer, hostile);
      }
    },
  );
});
