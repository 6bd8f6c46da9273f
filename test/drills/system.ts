import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWriterRole, migrateAudit, writerUrl } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { migrateAuthority } from '@behalf/authority/consent';
import { startAuthority } from '@behalf/authority';
import type { Authority, AuthorityOptions } from '@behalf/authority';
import type { AuthoritySchema } from '@behalf/authority/consent';
import { encryptionKeyFrom, SealedSecrets, sealedName } from '@behalf/authority/internal';
import { compose } from '@behalf/gateway/tools';
import { EXAMPLE_AUDIENCE } from '@behalf/example/internal';
import { freePorts } from '@behalf/example/internal';
import { checkConfig, startGateway } from '@behalf/gateway';
import type { GatewayConfig, RunningGateway } from '@behalf/gateway';
import { RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import type { JWK } from 'jose';
import { readPolicy, vocabularyOf } from '@behalf/policy';
import { openDatabase, openDatabaseServer } from '@behalf/store';
import { prepareBank, startExampleSubgraphs } from '@behalf/example';
import type { SubgraphName } from '@behalf/example';
import { DEMO_ACCOUNTS, demoClients } from '@behalf/example/internal';
import { Front } from './front.js';
import { projectPath } from '@behalf/example/internal';

/** Long enough for a busy machine, short enough to wait for in a drill. */
export const MAX_STALENESS_MS = 4_000;
const LONG_POLL_MS = 1_000;
const STREAM_SECRET = 'the-stream-secret-of-the-drills';
const AUDIT_WRITER_PASSWORD = 'the-audit-writer-of-the-drills';
const CONSOLE_SECRET = 'the-console-of-the-drills';
const BANK = { customers: 20, accounts: 60, transactions: 500 };
const HOST = '127.0.0.1';

/** The whole example on a database of its own, each part an HTTP server. */
export interface DrillSystem {
  readonly databaseUrl: string;
  /** A proxy in front of the authority; its address is the issuer. */
  readonly front: Front;
  readonly gatewayUrl: string;
  readonly gateway: RunningGateway;
  readonly gatewayConfig: GatewayConfig;
  readonly subgraphUrls: Readonly<Record<SubgraphName, string>>;
  readonly consoleSecret: string;
  /** The private half of one of the authority's signing keys, as if stolen. */
  leakedKey(kid: string): Promise<JWK>;
  stopAuthority(): Promise<void>;
  startAuthority(): Promise<void>;
  close(): Promise<void>;
}

/** With a PostgreSQL of its own, as one drill locks a role, and roles belong to the server. */
export async function startSystem(): Promise<DrillSystem> {
  const closers: Closers = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await startParts(closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(closers: Closers, close: () => Promise<void>): Promise<DrillSystem> {
  const dataDir = await mkdtemp(join(tmpdir(), 'behalf-drill-'));
  await chmod(dataDir, 0o711);
  closers.push(() => rm(dataDir, { recursive: true, force: true }));
  const database = await openDatabaseServer({ dataDir, unsafeNoDurability: true });
  closers.push(() => database.stop());
  await prepareDatabase(database.url);
  const supergraph = join(dataDir, 'supergraph.graphql');
  const { supergraphSdl } = await compose(projectPath('supergraph.yaml'), supergraph);
  const front = await Front.start();
  closers.push(() => front.close());
  const authority = await startExampleAuthority(front, { databaseUrl: database.url, dataDir, supergraphSdl });
  closers.push(authority.stop);

  const ports = await freePorts();
  const gatewayIssuer = `http://${HOST}:${ports.gateway}`;
  const subgraphs = await startExampleSubgraphs({
    databaseUrl: database.url,
    gateway: { issuer: gatewayIssuer, jwksUri: `${gatewayIssuer}/.well-known/jwks.json` },
    pseudonymKey: new Uint8Array(32).fill(7),
    host: HOST,
    ports,
  });
  closers.push(() => subgraphs.close());
  const gatewayConfig = configOf({
    port: ports.gateway,
    supergraph,
    issuer: front.url,
    subgraphUrls: subgraphs.urls,
    databaseUrl: database.url,
    keyFile: await writeGatewayKey(dataDir),
  });
  const gateway = await startGateway(gatewayConfig);
  closers.push(() => gateway.close());
  return {
    databaseUrl: database.url,
    front,
    gatewayUrl: gateway.url,
    gateway,
    gatewayConfig,
    subgraphUrls: subgraphs.urls,
    consoleSecret: authority.consoleSecret,
    leakedKey: (kid) => readKey(database.url, dataDir, kid),
    stopAuthority: authority.stop,
    startAuthority: authority.start,
    close,
  };
}

type Closers = (() => Promise<unknown>)[];

async function startExampleAuthority(
  front: Front,
  {
    databaseUrl,
    dataDir,
    supergraphSdl,
  }: { readonly databaseUrl: string; readonly dataDir: string; readonly supergraphSdl: string },
) {
  return startSwitchableAuthority(front, {
    issuer: front.url,
    port: 0,
    databaseUrl,
    dataDir,
    audience: EXAMPLE_AUDIENCE,
    policy: await readPolicy(projectPath('policy.yaml')),
    vocabulary: vocabularyOf(new RuleTable(parse(supergraphSdl), { coverage: 'required' })),
    demoAccounts: DEMO_ACCOUNTS,
    clients: demoClients(CONSOLE_SECRET),
    streamSecret: STREAM_SECRET,
    longPollMs: LONG_POLL_MS,
  });
}

async function prepareDatabase(url: string): Promise<void> {
  const db = openDatabase<AuditDatabase & AuthoritySchema>(url);
  await migrateAudit(db);
  await createWriterRole(db, AUDIT_WRITER_PASSWORD);
  await migrateAuthority(db);
  await prepareBank(db, BANK);
  await db.destroy();
}

/** An authority behind the front, which keeps its address while the authority is stopped and started. */
async function startSwitchableAuthority(front: Front, options: AuthorityOptions) {
  let authority: Authority | undefined;
  const start = async (): Promise<void> => {
    authority = await startAuthority(options);
    front.target = new URL(authority.url);
  };
  const stop = async (): Promise<void> => {
    front.target = undefined;
    await authority?.close();
  };
  await start();
  return { start, stop, consoleSecret: CONSOLE_SECRET };
}

/** One key for all gateways of a drill: the subgraphs know only one. */
async function writeGatewayKey(dataDir: string): Promise<string> {
  const file = join(dataDir, 'gateway-key.json');
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(file, JSON.stringify(privateKey.export({ format: 'jwk' })), { mode: 0o600 });
  return file;
}

interface GatewayAddresses {
  readonly port: number;
  readonly supergraph: string;
  readonly issuer: string;
  readonly subgraphUrls: Readonly<Record<SubgraphName, string>>;
  readonly databaseUrl: string;
  readonly keyFile: string;
}

function configOf(addresses: GatewayAddresses): GatewayConfig {
  const { databaseUrl, issuer, keyFile, port, subgraphUrls, supergraph } = addresses;
  return checkConfig({
    listen: { host: HOST, port },
    supergraph,
    policy: projectPath('policy.yaml'),
    issuers: [{ issuer, audience: EXAMPLE_AUDIENCE, claims: { policies: 'policies' } }],
    authorization: { mode: 'filter', anonymous: 'allow', coverage: 'required' },
    propagation: { issuer: `http://${HOST}:${port}`, keyFile },
    revocation: { streams: [{ issuer, secret: STREAM_SECRET }], maxStalenessMs: MAX_STALENESS_MS },
    subgraphs: {
      customers: { url: subgraphUrls.customers },
      accounts: { url: subgraphUrls.accounts },
      payments: { url: subgraphUrls.payments },
      consent: { url: subgraphUrls.consent, roles: ['administrator'] },
    },
    audit: { mode: 'required', database: writerUrl(databaseUrl, AUDIT_WRITER_PASSWORD) },
    log: { level: 'error' },
  });
}

async function readKey(databaseUrl: string, dataDir: string, kid: string): Promise<JWK> {
  const db = openDatabase<AuthoritySchema>(databaseUrl, { max: 1 });
  try {
    const secrets = new SealedSecrets(db, await encryptionKeyFrom(dataDir));
    const { nonce, ciphertext } = await db
      .selectFrom('authority.signing_key')
      .select(['nonce', 'ciphertext'])
      .where('kid', '=', kid)
      .executeTakeFirstOrThrow();
    if (nonce === null || ciphertext === null) throw new Error('The key is no longer stored');
    return JSON.parse(secrets.open(sealedName(kid), { nonce, ciphertext })) as JWK;
  } finally {
    await db.destroy();
  }
}
