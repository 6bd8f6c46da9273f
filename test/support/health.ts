import { expect } from 'vitest';
import { until } from './wait.js';

const UNCACHED = 'no-store';

async function get(url: string, path: string) {
  const response = await fetch(`${url}${path}`);
  const body: unknown = await response.json();
  return { status: response.status, body, headers: response.headers };
}

/** What a load balancer and an orchestrator see of a server. */
export async function expectReady(url: string): Promise<void> {
  // The result of the checks is kept for a second.
  await until(async () => (await get(url, '/health/ready')).status === 200, 'the server is ready');
  for (const path of ['/health/ready', '/health', '/health/live']) {
    const { status, body, headers } = await get(url, path);
    expect([path, status, body]).toEqual([path, 200, { status: 'ok' }]);
    expect(headers.get('cache-control')).toBe(UNCACHED);
  }
}

/** The server is alive, and says by these codes why it gets no requests. */
export async function expectNotReady(url: string, ...codes: readonly string[]): Promise<void> {
  await until(async () => (await get(url, '/health/ready')).status === 503, 'the server is not ready');
  for (const path of ['/health/ready', '/health']) {
    const { status, body, headers } = await get(url, path);
    expect([path, status, body]).toEqual([path, 503, { status: 'unavailable', notReady: codes }]);
    expect([headers.get('retry-after'), headers.get('cache-control')]).toEqual(['1', UNCACHED]);
  }
  expect((await get(url, '/health/live')).status).toBe(200);
}
