import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWriterRole, migrateAudit, readAudit, writerUrl } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { composeSupergraph } from '@behalf/gateway/tools';
import { openDatabase, openDatabaseServer } from '@behalf/store';
import { startMeasured } from '../harness/child.js';
import { measure, median } from '../harness/load.js';
import type { BurstResult } from '../harness/load.js';
import { printTable } from '../harness/table.js';
import { ALL_SCOPES, FEWER_SCOPES, OPERATIONS } from './operations.js';
import { assertAnswered } from './answered.js';
import { startIssuer } from './issuer.js';
import type { BenchIssuer } from './issuer.js';
import { BENCH_SUBGRAPHS, openSdl } from './schemas.js';
import { startBenchSubgraphs } from './subgraphs.js';
import { startProtectedWorld } from './world.js';
import { projectPath } from '@behalf/example/internal';

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
      await measureBehalf(results, issuer, database.url, folder);
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
  folder: string,
): Promise<void> {
  const world = await startProtectedWorld(issuer, folder);
  const audit = { mode: 'best-effort', database: writerUrl(databaseUrl, WRITER_PASSWORD) };
  const gateway = await world.startGateway(audit);
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
    await world.close();
  }
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
