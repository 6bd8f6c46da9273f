import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE, Cleanup, compose, send, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let gateway: TestGateway;
let metricsUrl: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    metrics: { listen: { port: 0 } },
  });
  metricsUrl = gateway.running.metricsUrl ?? '';
});
afterAll(() => cleanup.run());

const read = async (): Promise<string> => (await send(`${metricsUrl}/metrics`, '', {}, 'GET')).text;

describe('metrics', () => {
  it('are served only at an address of their own', async () => {
    expect((await send(`${metricsUrl}/metrics`, '', {}, 'GET')).headers['content-type']).toContain(
      'text/plain',
    );
    expect((await send(`${metricsUrl}/graphql`, '{}', {}, 'POST')).status).toBe(404);
    expect((await send(`${gateway.url}/metrics`, '', {}, 'GET')).status).toBe(404);
  });

  it('count outcomes, refusals and denials by coordinate', async () => {
    await gateway.ask('{ me { id email } }', { token: await issuer.mint() });
    await gateway.ask('{ hello }', { token: 'a.b.c' });
    const text = await read();
    expect(text).toContain('behalf_requests_total{outcome="answered"} 1');
    expect(text).toContain('behalf_requests_total{outcome="authentication-failed"} 1');
    expect(text).toContain('behalf_denials_total{coordinate="Person.email",decision="denied"} 1');
    expect(text).toMatch(/behalf_refusals_total\{reason="[A-Z_]+"\} 1/);
    expect(text).toMatch(/behalf_request_duration_seconds_count 2/);
    expect(text).toContain('behalf_audit_records_lost 0');
  });

  it('contain nothing that a client chose: no names, values, operations or tokens', async () => {
    const token = await issuer.mint({ scope: 'distinctive-scope', client_id: 'distinctive-client' });
    await gateway.ask('query DistinctiveName { distinctiveAlias: hello(name: "distinctive-value") }', {
      token,
    });
    await gateway.ask('query DistinctiveName { distinctiveField }', { token });
    const text = await read();
    expect(text.toLowerCase()).not.toContain('distinctive');
  });
});
