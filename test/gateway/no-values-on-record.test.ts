import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../audit/index.js';
import { jsonLog, protectGateway } from '../../gateway/index.js';
import { recordedIdentifier, recordedOperationName } from '../../gateway/seal/recorded-text.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  MemorySink,
  send,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const KEY = new Uint8Array(32).fill(7);
const IBAN = 'SE4550000000058398257466';
const MARK = /zebra|SE45\d/i;
const TRACE_ID = 'beef4bf92f3577b34da6a3ce929d0e0e';

const cleanup = new Cleanup();
const spans = new InMemorySpanExporter();
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let gateway: TestGateway;
let auditFile: string;
const logged: string[] = [];

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
  );
  cleanup.add(() => {
    trace.disable();
    context.disable();
  });
  const folder = await mkdtemp(join(tmpdir(), 'behalf-values-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  auditFile = join(folder, 'audit.jsonl');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people', trust);
  accounts = await TestSubgraph.start('accounts', trust);
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  gateway = await startTestGateway(
    cleanup,
    compose(people, accounts),
    {
      listen: { port },
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      audit: { mode: 'required', file: auditFile, pseudonymKey: Buffer.from(KEY).toString('base64url') },
      metrics: { listen: { port: 0 } },
      administration: { scope: 'admin' },
      http: { get: true, batch: {}, persistedQueries: {} },
    },
    { log: jsonLog('debug', (line) => void logged.push(line)) },
  );
});
afterAll(() => cleanup.run());
beforeEach(() => {
  spans.reset();
  logged.length = 0;
  people.instead = undefined;
});

async function records(): Promise<AuditRecord[]> {
  const lines = (await readFile(auditFile, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as AuditRecord);
}

/** Everything that an exporter sends of the spans. */
function exported(): string {
  return JSON.stringify(
    spans
      .getFinishedSpans()
      .map(({ name, attributes, events, status, links }) => ({ name, attributes, events, status, links })),
  );
}

/** Everything that is kept of requests. */
async function kept(): Promise<Record<string, string>> {
  const metrics = await send(`${gateway.running.metricsUrl ?? ''}/metrics`, '', {}, 'GET');
  return {
    records: JSON.stringify(await records()),
    log: logged.join(''),
    spans: exported(),
    metrics: metrics.text,
  };
}

const HEADERS = {
  'content-type': 'application/json',
  'user-agent': 'zebra-agent',
  cookie: 'zebra=1',
  tracestate: 'zebra=state',
  baggage: 'zebra=baggage',
  'x-request-id': 'zebra-id',
  'x-forwarded-for': 'zebra',
  'apollographql-client-name': 'zebra',
  'apollographql-client-version': 'zebra',
  'apollo-require-preflight': 'zebra',
  traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`,
};

const NAME = `iban_${IBAN}`;
const QUERY = `query ${NAME}($zebraVariable: String = "zebra") {
  zebraAlias: hello(name: $zebraVariable) person(id: "zebra") { id name email fails ...zebraFragment }
}
fragment zebraFragment on Person { accounts { iban balance } }`;

describe('no value from a client is recorded', () => {
  it.each([
    ['in an operation', { query: QUERY, variables: { zebraVariable: 'zebra' }, operationName: NAME }],
    ['in an invalid operation', { query: `query ${NAME} { zebra(id: "zebra") }` }],
    ['in an unparsable operation', { query: `query ${NAME} { zebra "` }],
    ['in variables of the wrong type', { query: QUERY, variables: { zebraVariable: { zebra: 'zebra' } } }],
    ['in a batch', [{ query: QUERY }, { query: '{ zebra }' }]],
    ['in a persisted query', { extensions: { persistedQuery: { version: 1, sha256Hash: 'zebra' } } }],
    ['in the name of a missing operation', { query: '{ hello }', operationName: NAME }],
  ])('%s', async (_case, body) => {
    const before = (await records()).length;
    const token = await issuer.mint({ scope: 'name accounts', sub: 'zebra-subject' });
    people.instead = undefined;
    await send(`${gateway.url}/graphql`, JSON.stringify(body), {
      ...HEADERS,
      authorization: `Bearer ${token}`,
    });
    await send(`${gateway.url}/graphql`, JSON.stringify(body), HEADERS);
    expect((await records()).length).toBeGreaterThan(before);
    for (const [place, text] of Object.entries(await kept())) expect(text, place).not.toMatch(MARK);
    expect(exported()).toMatch(/"name":"(?:query|mutation|GraphQL Operation)"/);
  });

  it.each([
    ['an unknown operation name', { query: 'query A { hello }', operationName: 'B' }],
    ['no name among several', { query: 'query A { hello } query B { rates }' }],
    ['the name of a fragment', { query: '{ hello } fragment F on Person { id }', operationName: 'F' }],
    ['no operation at all', { query: 'fragment F on Person { id }' }],
  ])('and nobody avoids the record by %s', async (_case, body) => {
    const before = (await records()).length;
    const answer = await send(`${gateway.url}/graphql`, JSON.stringify(body), HEADERS);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('Internal server error');
    expect((await records()).slice(before)).toMatchObject([
      { outcome: 'refused', reason: 'OPERATION_INVALID' },
    ]);
  });

  it('by GET, administrators, credentials or subgraph errors', async () => {
    const admin = await issuer.mint({ scope: 'admin' });
    const query = encodeURIComponent(`query ${NAME} { hello(name: "zebra") }`);
    await send(`${gateway.url}/graphql?query=${query}&zebra=zebra`, '', HEADERS, 'GET');
    await send(`${gateway.url}/admin/explain`, JSON.stringify({ query: QUERY, scopes: ['zebra'] }), {
      ...HEADERS,
      authorization: `Bearer ${admin}`,
    });
    for (const authorization of ['Bearer zebra', 'Bearer zebra.zebra.zebra', 'DPoP zebra', 'Zebra zebra'])
      await send(`${gateway.url}/graphql`, '{"query":"{ hello }"}', {
        ...HEADERS,
        authorization,
        dpop: 'zebra',
      });
    people.instead = (_request, response) =>
      sendJson(response, 200, {
        data: { hello: null },
        errors: [
          {
            message: 'zebra is not there',
            path: ['hello'],
            extensions: { code: 'IBAN_SE4550000000058398257466', zebra: 'zebra' },
          },
        ],
      });
    await gateway.ask('{ hello }', { token: admin });
    for (const [place, text] of Object.entries(await kept())) expect(text, place).not.toMatch(MARK);
  });

  it('but the trace continues: the record links it under an own identifier', async () => {
    people.requests.length = 0;
    await send(`${gateway.url}/graphql`, '{"query":"query Hello { hello }"}', HEADERS);
    const record = (await records()).at(-1);
    expect(record).toMatchObject({ operationName: 'Hello', traceLink: TRACE_ID });
    expect(record?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(record?.traceId).not.toBe(TRACE_ID);
    expect(people.requests[0]?.headers.traceparent).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
    expect(exported()).toContain('"graphql.operation.name":"Hello"');
    expect(new Set(spans.getFinishedSpans().map((span) => span.spanContext().traceId))).toEqual(
      new Set([TRACE_ID]),
    );
  });

  it.each([
    ['none', undefined],
    ['an invalid one', '00-zebra-00f067aa0ba902b7-01'],
    ['zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['upper case', `00-${TRACE_ID.toUpperCase()}-00f067aa0ba902b7-01`],
    ['something longer', `00-${TRACE_ID}${IBAN}-00f067aa0ba902b7-01`],
  ])('and nothing is linked if the client sends %s', async (_case, traceparent) => {
    await send(`${gateway.url}/graphql`, '{"query":"{ hello }"}', {
      'content-type': 'application/json',
      ...(traceparent === undefined ? {} : { traceparent }),
    });
    const record = (await records()).at(-1);
    expect(record).not.toHaveProperty('traceLink');
    expect(spans.getFinishedSpans()[0]?.spanContext().traceId).toBe(record?.traceId);
  });

  it('even if @apollo/gateway is told to log its plans', () => {
    expect(() =>
      protectGateway(
        { supergraphSdl: compose(people, accounts), debug: true },
        { issuers: [], propagation: { issuer: 'https://gateway.example' } },
      ),
    ).toThrow('debug: would put values into the log');
  });

  it('even if @apollo/gateway is told to trace documents or errors', () => {
    for (const telemetry of [{ includeDocument: true }, { recordExceptions: true }, { recordExceptions: 3 }])
      expect(() =>
        protectGateway(
          { supergraphSdl: compose(people, accounts), telemetry },
          { issuers: [], propagation: { issuer: 'https://gateway.example' } },
        ),
      ).toThrow(/^telemetry\.\w+: would put values into spans$/);
  });
});

describe('an operation name on record', () => {
  it.each(['Overview', '_', 'getAccounts2', 'GET_ACCOUNT_V12', 'a'.repeat(64)])('%s: is kept', (name) => {
    expect(recordedOperationName(name, KEY)).toBe(name);
  });

  it.each([
    NAME,
    'iban_SE45_500_000_000_583_982_574_66',
    'tel_46_70_12_34',
    'd1e2a3d4',
    'a'.repeat(65),
    'x'.repeat(240_000),
    'ends\n',
    'with space',
    'a\u202eb',
    '',
  ])('%j: becomes a hash of fixed length', (name) => {
    const recorded = recordedOperationName(name, KEY);
    expect(recorded).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
    expect(recordedOperationName(name, KEY)).toBe(recorded);
    // The log alone does not let anyone find the value by trying.
    expect(recordedOperationName(name, new Uint8Array(32))).not.toBe(recorded);
  });

  it('is short and has few digits, whatever the client sends (property)', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/)), (name) => {
        const recorded = recordedOperationName(name, KEY);
        if (recorded.startsWith('hmac-sha256:')) return;
        expect(recorded).toMatch(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/);
        expect(recorded.replace(/\D/g, '').length).toBeLessThanOrEqual(3);
      }),
    );
  });
});

describe('token identifiers on record', () => {
  it('are bounded, and cannot control a terminal', async () => {
    expect(recordedIdentifier('https://client.example/cb?x=1', KEY)).toBe('https://client.example/cb?x=1');
    for (const text of ['c'.repeat(257), 'a\u001b[2J', 'a\nb', 'a\u202eb', 'a\u2028'])
      expect(recordedIdentifier(text, KEY)).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
    const token = await issuer.mint({
      client_id: 'c'.repeat(1_000),
      act: { sub: 'robot\u001b[2J' },
      consent: {
        id: 'x\n',
        version: 1,
        purposes: Array.from({ length: 150 }, () => 'p\u0007'),
        detail: 'full',
      },
    });
    await gateway.ask('{ hello }', { token });
    const record = (await records()).at(-1);
    const hash = expect.stringMatching(/^hmac-sha256:[0-9a-f]{64}$/) as string;
    expect(record?.caller).toMatchObject({ clientId: hash, actor: hash, consentId: hash });
    expect(record?.caller.purposes).toHaveLength(100);
    expect(JSON.stringify(record).length).toBeLessThan(20_000);
  });

  it.each(['zebra', '10.0.0.1, zebra', '999.1.1.1', 'zebra::1'])(
    'an invalid forwarded address is left out: %s',
    async (remoteAddress) => {
      const sink = new MemorySink();
      const { records: taken } = sink;
      const protectedGateway = protectGateway(
        { supergraphSdl: compose(people, accounts) },
        {
          issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
          propagation: { issuer: 'https://gateway.example' },
          audit: {
            mode: 'required',
            pseudonymKey: KEY,
            sink,
          },
        },
      );
      await protectedGateway.pipeline.record(
        protectedGateway.begin({ authorization: [], remoteAddress }),
        'failed',
        undefined,
      );
      expect(taken).toHaveLength(1);
      expect(taken[0]).not.toHaveProperty('source');
    },
  );
});
