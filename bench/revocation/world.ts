import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { createWriterRole, migrateAudit, writerUrl } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { ConsentRegister, migrateAuthority } from '@behalf/authority/consent';
import type { AuthorityDatabase, AuthoritySchema } from '@behalf/authority/consent';
import { composeSupergraph } from '@behalf/gateway/tools';
import { openDatabase, openDatabaseServer } from '@behalf/store';
import { readSchemaFile } from '@behalf/consent-subgraph/internal';
import { benchPolicy } from '../gateway/policy.js';
import { startMeasured } from '../harness/child.js';
import { TokenMint } from './mint.js';
import { AUDIENCE, GATEWAY_ISSUER } from './names.js';
import { projectPath } from '@behalf/example/internal';

const WRITER_PASSWORD = 'bench-writer';

/** The system that is measured: each part in a process of its own, on loopback, with a PostgreSQL of its own. */
export interface World {
  readonly db: AuthorityDatabase;
  readonly consents: ConsentRegister;
  readonly mint: TokenMint;
  readonly issuer: string;
  readonly streamSecret: string;
  /** GraphQL endpoints. */
  readonly gateways: readonly string[];
  /** Stops everything that was started. */
  close(): Promise<void>;
}

/** Starts PostgreSQL with its default durability, one authority, one subgraph, and `gatewayCount` gateways. */
export async function startWorld(gatewayCount: number): Promise<World> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await startParts(gatewayCount, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  gatewayCount: number,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const { db, url: databaseUrl } = await openBenchDatabase(folder, closers);
  const start: Start = async (program, env) => {
    const started = await startMeasured(projectPath('bench', 'dist', program), env, 'any');
    closers.push(() => started.stop());
    return started;
  };
  // All gateways sign with one key, which the subgraph is given, so neither has to be started first.
  const key = await makeGatewayKey(folder);
  const subgraph = await start('revocation/subgraph.js', {
    BENCH_DATABASE: databaseUrl,
    BENCH_GATEWAY_KEYS: JSON.stringify([key.publicJwk]),
  });
  const supergraph = composeSupergraph([{ name: 'consent', url: subgraph.url, sdl: readSchemaFile() }]);
  const policy = benchPolicy(supergraph);
  const policyFile = join(folder, 'policy.json');
  await writeFile(policyFile, policy);

  const encryptionKey = randomBytes(32);
  const streamSecret = randomBytes(24).toString('base64url');
  const authority = await start('revocation/authority.js', {
    BENCH_DATABASE: databaseUrl,
    BENCH_ENCRYPTION_KEY: encryptionKey.toString('base64url'),
    BENCH_POLICY: policy,
    BENCH_SUPERGRAPH: supergraph,
    BENCH_SECRET: streamSecret,
  });
  const gatewayOptions = { folder, policyFile, supergraph, databaseUrl, streamSecret, keyFile: key.file };
  const gateways: string[] = [];
  for (let index = 0; index < gatewayCount; index += 1)
    gateways.push(await startGateway(start, index, authority.url, gatewayOptions));
  return {
    db,
    consents: new ConsentRegister(db),
    mint: await TokenMint.open(db, encryptionKey, authority.url),
    issuer: authority.url,
    streamSecret,
    gateways,
    close,
  };
}

/** Starts one of the benchmark's programs in a process of its own. */
type Start = (program: string, env: Readonly<Record<string, string>>) => Promise<{ readonly url: string }>;

async function openBenchDatabase(folder: string, closers: (() => Promise<void>)[]) {
  const database = await openDatabaseServer({ dataDir: folder });
  closers.push(() => database.stop());
  const db = openDatabase<AuthoritySchema & AuditDatabase>(database.url, {
    max: 8,
    // One statement writes a backlog of a million changes.
    statementTimeoutMs: 0,
  });
  closers.push(() => db.destroy());
  await migrateAuthority(db);
  await migrateAudit(db as never);
  await createWriterRole(db as never, WRITER_PASSWORD);
  return { db, url: database.url };
}

async function makeGatewayKey(folder: string) {
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const file = join(folder, 'gateway-key.json');
  await writeFile(file, JSON.stringify(await exportJWK(privateKey)));
  return { file, publicJwk: { ...publicJwk, alg: 'EdDSA', kid: await calculateJwkThumbprint(publicJwk) } };
}

interface GatewayOptions {
  readonly folder: string;
  readonly policyFile: string;
  readonly supergraph: string;
  readonly databaseUrl: string;
  readonly streamSecret: string;
  readonly keyFile: string;
}

async function startGateway(
  start: Start,
  index: number,
  issuer: string,
  { folder, policyFile, supergraph, databaseUrl, streamSecret, keyFile }: GatewayOptions,
): Promise<string> {
  const config = {
    listen: { port: 0 },
    supergraph: join(folder, `supergraph-${index}.graphql`),
    policy: policyFile,
    issuers: [{ issuer, audience: AUDIENCE }],
    authorization: { coverage: 'required' },
    revocation: { streams: [{ issuer, secret: streamSecret }] },
    propagation: { issuer: GATEWAY_ISSUER, keyFile },
    subgraphs: { consent: { roles: ['administrator'] } },
    audit: { mode: 'best-effort', database: writerUrl(databaseUrl, WRITER_PASSWORD) },
  };
  const gateway = await start('gateway/behalf.js', {
    BENCH_SUPERGRAPH: supergraph,
    BENCH_SUPERGRAPH_FILE: config.supergraph,
    BENCH_CONFIG: JSON.stringify(config),
  });
  return gateway.url;
}
