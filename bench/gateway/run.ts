import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createWriterRole, migrateAudit, readAudit, writerUrl } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { composeSupergraph } from '@behalf/gateway/tools';
import { openDatabase, openDatabaseServer } from '@behalf/store';
import { listen } from '@behalf/http';
import { startMeasured } from '../harness/child.js';
import { measure, median } from '../harness/load.js';
import type { BurstResult, LoadRequest } from '../harness/load.js';
import { printTable } from '../harness/table.js';
import { ALL_SCOPES, FEWER_SCOPES, OPERATIONS } from './operations.js';
import { benchPolicy } from './policy.js';
import { BENCH_SUBGRAPHS, openSdl, protectedSdl } from './schemas.js';
import { startBenchSubgraphs } from './subgraphs.js';
import { projectPath } from '@behalf/example/internal';

const AUDIENCE = 'https://api.bank.example';
const GATEWAY_ISSUER = 'http://gateway.bench';
const TOKENS = 50;
const ROUNDS = 2;
const BURSTS = 3;
const WRITER_PASSWORD = 'bench-writer';

type Variant = 'stock' | 'behalf' | 'behalf, some denied';
type Results = Map<string, Map<Variant, BurstResult[]>>;

/**
 * Compares the protected gateway with the stock one, which serves the same schemas without the directives. One gateway runs at a
 * time, and rounds alternate, so that drifting machine speed affects both.
 */
export async function benchGateway(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
  const database = await openDatabaseServer({ dataDir: folder });
  const issuer = await startIssuer();
  const results: Results = new Map(
    Object.keys(OPERATIONS).map((name) => [name, new Map<Variant, BurstResult[]>()]),
  );
  try {
    const db = openDatabase<AuditDatabase>(database.url, { max: 1 });
    await migrateAudit(db);
    await createWriterRole(db, WRITER_PASSWORD);
    for (let round = 1; round <= ROUNDS; round += 1) {
      console.log(`round ${round} of ${ROUNDS}: stock`);
      await measureStock(results);
      console.log(`round ${round} of ${ROUNDS}: behalf`);
      await measureBehalf(results, issuer, database.url, join(folder, 'supergraph.graphql'));
    }
    const [last] = await readAudit(db, { limit: 1 });
    await db.destroy();
    report(results, last?.seq ?? 0);
  } finally {
    await issuer.close();
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureStock(results: Results): Promise<void> {
  const subgraphs = await startBenchSubgraphs(undefined);
  const supergraph = composeSupergraph(
    BENCH_SUBGRAPHS.map((name) => ({ name, url: subgraphs.urls[name] ?? '', sdl: openSdl(name) })),
  );
  const gateway = await startMeasured(projectPath('bench/dist/gateway/stock.js'), {
    BENCH_SUPERGRAPH: supergraph,
  });
  try {
    for (const [name, query] of Object.entries(OPERATIONS)) {
      const requests = [{ body: JSON.stringify({ query }), headers: {} }];
      await assertAnswered(gateway.url, requests, false);
      add(results, name, 'stock', await measure(gateway, requests, BURSTS));
    }
  } finally {
    await gateway.stop();
    await subgraphs.close();
  }
}

async function measureBehalf(
  results: Results,
  issuer: BenchIssuer,
  databaseUrl: string,
  supergraphFile: string,
): Promise<void> {
  // The gateway is given a key that the subgraphs trust, so neither has to be started first.
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  const keyFile = `${supergraphFile}.key.json`;
  await writeFile(keyFile, JSON.stringify(await exportJWK(privateKey)));
  const publicJwk = await exportJWK(publicKey);
  const subgraphs = await startBenchSubgraphs({
    issuer: GATEWAY_ISSUER,
    keys: [{ ...publicJwk, alg: 'EdDSA', kid: await calculateJwkThumbprint(publicJwk) }],
  });
  const supergraph = composeSupergraph(
    BENCH_SUBGRAPHS.map((name) => ({ name, url: subgraphs.urls[name] ?? '', sdl: protectedSdl(name) })),
  );
  const policyFile = `${supergraphFile}.policy.json`;
  await writeFile(policyFile, benchPolicy(supergraph));
  const config = {
    listen: { port: 0 },
    supergraph: supergraphFile,
    policy: policyFile,
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    authorization: { coverage: 'required' },
    propagation: { issuer: GATEWAY_ISSUER, keyFile },
    audit: { mode: 'best-effort', database: writerUrl(databaseUrl, WRITER_PASSWORD) },
  };
  const gateway = await startMeasured(projectPath('bench/dist/gateway/behalf.js'), {
    BENCH_SUPERGRAPH: supergraph,
    BENCH_SUPERGRAPH_FILE: supergraphFile,
    BENCH_CONFIG: JSON.stringify(config),
  });
  try {
    for (const [variant, scopes] of [
      ['behalf', ALL_SCOPES],
      ['behalf, some denied', FEWER_SCOPES],
    ] as const) {
      const tokens = await issuer.tokens(scopes);
      for (const [name, query] of Object.entries(OPERATIONS)) {
        const requests = tokens.map((token) => ({
          body: JSON.stringify({ query }),
          headers: { authorization: `Bearer ${token}` },
        }));
        await assertAnswered(gateway.url, requests, variant !== 'behalf');
        add(results, name, variant, await measure(gateway, requests, BURSTS));
      }
    }
  } finally {
    await gateway.stop();
    await subgraphs.close();
  }
}

/** Errors would be fast: check that the answer has data. */
async function assertAnswered(
  url: string,
  [first]: readonly LoadRequest[],
  expectDenials: boolean,
): Promise<void> {
  if (first === undefined) throw new Error('no requests');
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...first.headers },
    body: first.body,
  });
  const answer = (await response.json()) as { data?: unknown; errors?: { extensions?: { code?: string } }[] };
  const denials = (answer.errors ?? []).filter(
    ({ extensions }) => extensions?.code === 'UNAUTHORIZED_FIELD_OR_TYPE',
  );
  const isAsMeant =
    response.status === 200 &&
    answer.data !== null &&
    denials.length === (answer.errors ?? []).length &&
    denials.length > 0 === expectDenials;
  if (!isAsMeant) throw new Error(`not the answer to be measured: ${JSON.stringify(answer).slice(0, 600)}`);
}

function add(results: Results, operation: string, variant: Variant, bursts: readonly BurstResult[]): void {
  const variants = results.get(operation);
  variants?.set(variant, [...(variants.get(variant) ?? []), ...bursts]);
}

function report(results: Results, records: number): void {
  const rows: string[][] = [];
  for (const [operation, variants] of results) {
    const stock = summary(variants.get('stock') ?? []);
    for (const [variant, bursts] of variants) {
      const own = summary(bursts);
      rows.push([
        variant === 'stock' ? operation : '',
        variant,
        `${(own.cpu / 1000).toFixed(2)} ms`,
        `${(own.leastCpu / 1000).toFixed(2)}–${(own.mostCpu / 1000).toFixed(2)}`,
        own.rate.toFixed(0),
        (own.cpu / stock.cpu).toFixed(2),
        (own.rate / stock.rate).toFixed(2),
      ]);
    }
  }
  console.log('');
  printTable(
    ['operation', 'gateway', 'CPU/request', 'least–most', 'requests/s', 'CPU ratio', 'rate ratio'],
    rows,
  );
  console.log('');
  console.log(
    `Ratios are to stock. Medians of ${ROUNDS * BURSTS} bursts. ${records} audit records were written.`,
  );
}

function summary(bursts: readonly BurstResult[]): {
  cpu: number;
  leastCpu: number;
  mostCpu: number;
  rate: number;
} {
  const cpu = bursts.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest);
  return {
    cpu: median(cpu),
    leastCpu: Math.min(...cpu),
    mostCpu: Math.max(...cpu),
    rate: median(bursts.map(({ requestsPerSecond }) => requestsPerSecond)),
  };
}

interface BenchIssuer {
  readonly url: string;
  tokens(scopes: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

/** An issuer of access tokens that serves its key set, as any authorization server does. */
async function startIssuer(): Promise<BenchIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    const isMetadata = request.url === '/.well-known/openid-configuration';
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(isMetadata ? { issuer: url, jwks_uri: `${url}/jwks` } : { keys: [jwk] }));
  });
  const { origin: url } = await listen(server, '127.0.0.1', 0);
  return {
    url,
    tokens: (scopes) =>
      Promise.all(
        Array.from({ length: TOKENS }, (_, index) =>
          new SignJWT({
            client_id: `app-${index}`,
            scope: scopes.join(' '),
            consent: { id: `consent-${index}`, version: 1, purposes: ['budgeting'], detail: 'full' },
          })
            .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })
            .setIssuer(url)
            .setAudience(AUDIENCE)
            .setSubject('c-000001')
            .setJti(`token-${index}`)
            .setIssuedAt()
            .setExpirationTime('1h')
            .sign(privateKey),
        ),
      ),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
