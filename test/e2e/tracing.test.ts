import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startExample } from '../../subgraphs/bank/start/start.js';
import type { RunningExample } from '../../subgraphs/bank/start/start.js';
import { freePorts } from '../../subgraphs/bank/start/ports.js';
import { startTracing } from '../../cli/telemetry.js';
import { partsLog } from '../../subgraphs/bank/start/log.js';
import { until } from '../gateway/support.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { exampleDataFolder } from './data-folder.js';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly spanId: string;
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[];
}

const received: string[] = [];
let collector: Server;
let database: TestDatabase<unknown>;
let dataDir: string;
let example: RunningExample;
let endTracing: () => Promise<void>;

beforeAll(async () => {
  collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push(body);
      response.setHeader('content-type', 'application/json');
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  endTracing = startTracing('behalf-test');
  database = await createTestDatabase();
  dataDir = await exampleDataFolder('tracing');
  example = await startExample({
    dataDir,
    databaseUrl: database.url,
    ports: await freePorts(),
    log: partsLog('error'),
  });
});
afterAll(async () => {
  await example.close();
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
  collector.closeAllConnections();
  collector.close();
});

function ask(body: object): Promise<Response> {
  return fetch(`${example.gatewayUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

it('one trace has a span per field coordinate, and no values', async () => {
  // On a busy machine the first connection of the audit log can take longer than a request waits for its record.
  await until(async () => (await ask({ query: '{ __typename }' })).status === 200, 'requests are recorded');
  const response = await ask({
    query: 'query Distinctive($id: ID!) { accountProducts account(id: $id) { id } }',
    variables: { id: 'zebra-77' },
  });
  expect(await response.json()).toMatchObject({ data: { account: null } });
  await endTracing();
  const spans = received.flatMap((body) => {
    const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  });
  const field = spans.find(
    ({ name, attributes }) =>
      name === 'behalf.field' && JSON.stringify(attributes).includes('Query.accountProducts'),
  );
  const request = spans.find(({ name, traceId }) => name === 'behalf.request' && traceId === field?.traceId);
  expect(field).toBeDefined();
  expect(field?.parentSpanId).toBe(request?.spanId);
  expect(JSON.stringify(field?.attributes)).toContain('allowed');
  expect(received.join('\n')).not.toContain('zebra-77');
});
