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
import { readSchemaFile } from '@behalf/example/internal';
import { benchPolicy } from '../gateway/policy.js';
import { startMeasured } from '../harness/child.js';
import { TokenMint } from './mint.js';
import { AUDIENCE, GATEWAY_ISSUER } from './names.js';
import { projectPath } from '@behalf/example/internal';

const WRITER_PASSWORD = 'bench-writer';

/** What is measured: each part a process of its own, on loopback, with a PostgreSQL of the benchmark's. */
export interface World {
  readonly db: AuthorityDatabase;
  readonly consents: ConsentRegister;
  readonly mint: TokenMint;
  readonly issuer: string;
  readonly streamSecret: string;
  /** GraphQL endpoints. */
  readonly gateways: readonly string[];
  /** Ends what was started, and only that. */
  close(): Promise<void>;
}

/** Starts PostgreSQL (durable, as it comes), one authority, one subgraph, and so many gateways. */
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
  const database = await openDatabaseServer({ dataDir: folder });
  closers.push(() => database.stop());
  const db = openDatabase<AuthoritySchema & AuditDatabase>(database.url, {
    max: 8,
    // It writes a backlog of a million changes in one statement.
    statementTimeoutMs: 0,
  });
  closers.push(() => db.destroy());
  await migrateAuthority(db);
  await migrateAudit(db as never);
  await createWriterRole(db as never, WRITER_PASSWORD);

  const start = async (
    program: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ readonly url: string }> => {
    const started = await startMeasured(projectPath('bench', 'dist', program), env, 'any');
    closers.push(() => started.stop());
    return started;
  };
  // The gateways sign with one key, which the subgraph is given, so that neither has to be started first.
  const gatewayKey = await generateKeyPair('Ed25519', { extractable: true });
  const publicJwk = await exportJWK(gatewayKey.publicKey);
  const keyFile = join(folder, 'gateway-key.json');
  await writeFile(keyFile, JSON.stringify(await exportJWK(gatewayKey.privateKey)));
  const subgraph = await start('revocation/subgraph.js', {
    BENCH_DATABASE: database.url,
    BENCH_GATEWAY_KEYS: JSON.stringify([
      { ...publicJwk, alg: 'EdDSA', kid: await calculateJwkThumbprint(publicJwk) },
    ]),
  });
  const supergraph = composeSupergraph([
    { name: 'consent', url: subgraph.url, sdl: readSchemaFile('consent') },
  ]);
  const policy = benchPolicy(supergraph);
  const policyFile = join(folder, 'policy.json');
  await writeFile(policyFile, policy);

  const encryptionKey = randomBytes(32);
  const streamSecret = randomBytes(24).toString('base64url');
  const authority = await start('revocation/authority.js', {
    BENCH_DATABASE: database.url,
    BENCH_ENCRYPTION_KEY: encryptionKey.toString('base64url'),
    BENCH_POLICY: policy,
    BENCH_SUPERGRAPH: supergraph,
    BENCH_SECRET: streamSecret,
  });
  const gateways: string[] = [];
  for (let index = 0; index < gatewayCount; index += 1) {
    const config = {
      listen: { port: 0 },
      supergraph: join(folder, `supergraph-${index}.graphql`),
      policy: policyFile,
      issuers: [{ issuer: authority.url, audience: AUDIENCE }],
      authorization: { coverage: 'required' },
      revocation: { streams: [{ issuer: authority.url, secret: streamSecret }] },
      propagation: { issuer: GATEWAY_ISSUER, keyFile },
      subgraphs: { consent: { roles: ['administrator'] } },
      audit: { mode: 'best-effort', database: writerUrl(database.url, WRITER_PASSWORD) },
    };
    const gateway = await start('gateway/behalf.js', {
      BENCH_SUPERGRAPH: supergraph,
      BENCH_SUPERGRAPH_FILE: config.supergraph,
      BENCH_CONFIG: JSON.stringify(config),
    });
    gateways.push(gateway.url);
  }
  return {
    db: db,
    consents: new ConsentRegister(db),
    mint: await TokenMint.open(db, encryptionKey, authority.url),
    issuer: authority.url,
    streamSecret,
    gateways,
    close,
  };
}
