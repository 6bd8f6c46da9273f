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
import { freePorts, EXAMPLE_AUDIENCE } from 'behalf/internal';
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

/** Long enough for a busy machine, short enough to wait for. */
export const MAX_STALENESS_MS = 4_000;
const LONG_POLL_MS = 1_000;
const STREAM_SECRET = 'the-stream-secret-of-the-drills';
const AUDIT_WRITER_PASSWORD = 'the-audit-writer-of-the-drills';
const CONSOLE_SECRET = 'the-console-of-the-drills';
const BANK = { customers: 20, accounts: 60, transactions: 500 };
const HOST = '127.0.0.1';

/** The whole example, each part a server of its own over HTTP, on a database of its own. */
export interface DrillSystem {
  readonly databaseUrl: string;
  /** Before the authority; its address is the issuer. */
  readonly front: Front;
  readonly gatewayUrl: string;
  readonly gateway: RunningGateway;
  readonly gatewayConfig: GatewayConfig;
  readonly subgraphUrls: Readonly<Record<SubgraphName, string>>;
  readonly consoleSecret: string;
  /** The private half of one of the authority's signing keys, as somebody would have it who has stolen it. */
  leakedKey(kid: string): Promise<JWK>;
  stopAuthority(): Promise<void>;
  startAuthority(): Promise<void>;
  close(): Promise<void>;
}

/** @param databaseUrl An empty database; without it a server is started that is gone afterwards. */
export async function startSystem(databaseUrl?: string): Promise<DrillSystem> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await startParts(databaseUrl, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  databaseUrl: string | undefined,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<DrillSystem> {
  const dataDir = await mkdtemp(join(tmpdir(), 'behalf-drill-'));
  await chmod(dataDir, 0o711);
  closers.push(() => rm(dataDir, { recursive: true, force: true }));
  const database = await openDatabaseServer({ databaseUrl, dataDir, unsafeNoDurability: true });
  closers.push(() => database.stop());
  const db = openDatabase<AuditDatabase & AuthoritySchema>(database.url);
  await migrateAudit(db);
  await createWriterRole(db, AUDIT_WRITER_PASSWORD);
  await migrateAuthority(db);
  await prepareBank(db, BANK);
  await db.destroy();

  const policyFile = projectPath('policy.yaml');
  const supergraph = join(dataDir, 'supergraph.graphql');
  const { supergraphSdl } = await compose(projectPath('supergraph.yaml'), supergraph);
  const front = await Front.start();
  closers.push(() => front.close());
  const authorityOptions: AuthorityOptions = {
    issuer: front.url,
    port: 0,
    databaseUrl: database.url,
    dataDir,
    audience: EXAMPLE_AUDIENCE,
    policy: await readPolicy(policyFile),
    vocabulary: vocabularyOf(new RuleTable(parse(supergraphSdl), { coverage: 'required' })),
    demoAccounts: DEMO_ACCOUNTS,
    clients: demoClients(CONSOLE_SECRET),
    streamSecret: STREAM_SECRET,
    longPollMs: LONG_POLL_MS,
  };
  let authority: Authority | undefined;
  const start = async (): Promise<Authority> => {
    authority = await startAuthority(authorityOptions);
    front.target = new URL(authority.url);
    return authority;
  };
  const stop = async (): Promise<void> => {
    front.target = undefined;
    await authority?.close();
  };
  await start();
  closers.push(stop);

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
  // Of all gateways: the subgraphs know one of them.
  const keyFile = join(dataDir, 'gateway-key.json');
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(keyFile, JSON.stringify(privateKey.export({ format: 'jwk' })), { mode: 0o600 });
  const gatewayConfig = checkConfig({
    listen: { host: HOST, port: ports.gateway },
    supergraph,
    policy: policyFile,
    issuers: [{ issuer: front.url, audience: EXAMPLE_AUDIENCE, claims: { policies: 'policies' } }],
    authorization: { mode: 'filter', anonymous: 'allow', coverage: 'required' },
    propagation: { issuer: gatewayIssuer, keyFile },
    revocation: {
      streams: [{ issuer: front.url, secret: STREAM_SECRET }],
      maxStalenessMs: MAX_STALENESS_MS,
    },
    subgraphs: {
      customers: { url: subgraphs.urls.customers },
      accounts: { url: subgraphs.urls.accounts },
      payments: { url: subgraphs.urls.payments },
      consent: { url: subgraphs.urls.consent, roles: ['administrator'] },
    },
    audit: { mode: 'required', database: writerUrl(database.url, AUDIT_WRITER_PASSWORD) },
    log: { level: 'error' },
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
    consoleSecret: CONSOLE_SECRET,
    leakedKey: (kid) => readKey(database.url, dataDir, kid),
    stopAuthority: stop,
    async startAuthority() {
      await start();
    },
    close,
  };
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
    if (nonce === null || ciphertext === null) throw new Error('the key is not kept any more');
    return JSON.parse(secrets.open(sealedName(kid), { nonce, ciphertext })) as JWK;
  } finally {
    await db.destroy();
  }
}
