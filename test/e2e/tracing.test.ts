import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rm } from 'node:fs/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startExample } from '../../subgraphs/bank/start/start.js';
import type { RunningExample } from '../../subgraphs/bank/start/start.js';
import { freePorts } from '../../subgraphs/bank/start/ports.js';
import { startTracing } from '../../cli/telemetry.js';
import { jsonLog } from '../../gateway/index.js';
import { walkthroughCommand } from '../../subgraphs/bank/walkthrough/walkthrough.js';
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
const logged: string[] = [];
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
    log: jsonLog('debug', (line) => void logged.push(line)),
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

const told: string[] = [];

/** What must be nowhere: of the person, of what they and their application sent, and of what they got. */
async function seeds(): Promise<readonly string[]> {
  const { rows } = await sql<Record<string, string>>`
    select name, email, tax_id, birth_date::text, street from bank.customer where id = 'c-000001'`.execute(
    database.db,
  );
  const { rows: accounts } = await sql<Record<string, string>>`
    select iban from bank.account where holder_id = 'c-000001'`.execute(database.db);
  const stored = [...rows, ...accounts].flatMap((row) => Object.values(row));
  expect(stored.length).toBeGreaterThan(5);
  const sent = ['zebra-77', 'alma-demo', 'DE89370400440532013000', 'Somebody', 'walkthrough-1'];
  return [...stored, ...sent, 'c-000001'];
}

async function eventsThatWait(): Promise<number> {
  const { rows } = await sql`select from authority.audit_outbox`.execute(database.db);
  return rows.length;
}

it('a whole run leaves no value, argument, token or person in spans, log and records', async () => {
  // On a busy machine the first connection of the audit log can take longer than a request waits for its record.
  await until(async () => (await ask({ query: '{ __typename }' })).status === 200, 'requests are recorded');
  const response = await ask({
    query: 'query Distinctive($id: ID!) { accountProducts account(id: $id) { id } }',
    variables: { id: 'zebra-77' },
  });
  expect(await response.json()).toMatchObject({ data: { account: null } });
  const anonymousTransaction = response.headers.get('behalf-transaction');
  await walkthroughCommand({ dataDir, print: (line) => told.push(line) });
  expect(told.join('\n')).toContain('c-000001');
  await endTracing();
  await until(async () => (await eventsThatWait()) === 0, 'the log has the events of the authority');

  const spans = received.flatMap((body) => {
    const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  });
  const field = spans.find(
    ({ name, attributes }) =>
      name === 'behalf.field' && JSON.stringify(attributes).includes('Query.accountProducts'),
  );
  const request = spans.find(({ spanId }) => spanId === field?.parentSpanId);
  expect(request?.name).toBe('query');
  expect(request?.traceId).toBe(field?.traceId);
  expect(JSON.stringify(request?.attributes)).toContain(anonymousTransaction);
  expect(JSON.stringify(field?.attributes)).toContain('allowed');

  const { rows: records } = await sql<{ content: string }>`select content from audit.record`.execute(
    database.db,
  );
  const kept = {
    spans: received.join('\n'),
    log: logged.join('\n'),
    records: records.map(({ content }) => content).join('\n'),
  };
  expect(records.length).toBeGreaterThan(5);
  for (const event of ['signing-key-published', 'signed-in', 'consent-granted', 'consent-revoked']) {
    expect(kept.records).toContain(`"event":"${event}"`);
  }
  expect(logged.length).toBeGreaterThan(0);
  for (const [place, text] of Object.entries(kept)) {
    for (const seed of await seeds()) expect(text.includes(seed), `${place} has ${seed}`).toBe(false);
    expect(text, place).not.toMatch(/eyJ[\w-]{10}/);
  }
  // The same transaction in the record and the span, and the same trace.
  const record = kept.records.split('\n').find((line) => line.includes(anonymousTransaction ?? '?'));
  expect(record).toContain(request?.traceId);
});
