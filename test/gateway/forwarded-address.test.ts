import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TrustedProxies } from '../../gateway/http/proxies.js';
import type { ProxyOptions } from '../../gateway/http/proxies.js';
import { AUDIENCE, Cleanup, compose, startTestGateway, TestIssuer, TestSubgraph } from './support.js';

const cleanup = new Cleanup();
let folder: string;
let issuer: TestIssuer;
let supergraph: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-forwarded-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
});
afterAll(() => cleanup.run());

/** The recorded source of a request with this header. */
async function sourceOf(
  proxies: ProxyOptions | undefined,
  forwardedFor: string | readonly string[],
): Promise<string | undefined> {
  const file = join(folder, `${crypto.randomUUID()}.jsonl`);
  const gateway = await startTestGateway(cleanup, supergraph, {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    audit: { mode: 'required', file },
    ...(proxies === undefined ? {} : { proxies }),
  });
  const answer = await gateway.ask('{ hello }', { headers: { 'x-forwarded-for': forwardedFor } });
  expect(answer.status).toBe(200);
  return (JSON.parse(await readFile(file, 'utf8')) as { source?: string }).source;
}

it('a forged X-Forwarded-For header does not change the record', async () => {
  expect(await sourceOf(undefined, '203.0.113.7')).toBe('127.0.0.0/24');
  expect(await sourceOf({ addresses: ['127.0.0.1'] }, '203.0.113.7')).toBe('127.0.0.0/24');
  expect(await sourceOf({ addresses: ['10.0.0.1'], forwardedFor: true }, '203.0.113.7')).toBe('127.0.0.0/24');
});

it('behind a named proxy, only the address that it added counts', async () => {
  const proxies = { addresses: ['127.0.0.1'], forwardedFor: true };
  expect(await sourceOf(proxies, '203.0.113.7')).toBe('203.0.113.0/24');
  expect(await sourceOf(proxies, '198.51.100.1, 203.0.113.7')).toBe('203.0.113.0/24');
  expect(await sourceOf(proxies, ['198.51.100.1', '203.0.113.7'])).toBe('203.0.113.0/24');
});

it('through several proxies, the last untrusted address counts', () => {
  const proxies = new TrustedProxies({ addresses: ['10.0.0.0/8'], forwardedFor: true });
  const seen = (...values: string[]): string | undefined => proxies.clientAddress('10.0.0.1', values);
  expect(seen('203.0.113.7, 10.0.0.3, 10.0.0.2')).toBe('203.0.113.7');
  expect(seen('10.0.0.9, 203.0.113.7, 10.0.0.2')).toBe('203.0.113.7');
  expect(seen('203.0.113.7, unknown, 10.0.0.2')).toBe('10.0.0.2');
  expect(seen('203.0.113.7:1234')).toBe('10.0.0.1');
  expect(seen()).toBe('10.0.0.1');
  expect(proxies.clientAddress(undefined, ['203.0.113.7'])).toBeUndefined();
});

it('addresses that a client sends in advance change nothing', () => {
  const proxies = new TrustedProxies({ addresses: ['10.0.0.1'], forwardedFor: true });
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), fc.ipV4(), (sent, client) => {
      fc.pre(client !== '10.0.0.1');
      expect(proxies.clientAddress('10.0.0.1', [...sent, client])).toBe(client);
    }),
  );
});
