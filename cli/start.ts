import { createWriterRole, migrateAudit, writerUrl } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { migrateAuthority } from '@behalf/authority/consent';
import { startAuthority } from '@behalf/authority';
import type { AuthoritySchema } from '@behalf/authority/consent';
import { RuleTable } from '@behalf/directives/internal';
import { checkConfig, startGateway } from '@behalf/gateway';
import type { GatewayLog } from '@behalf/gateway';
import { parse } from 'graphql';
import { readPolicy, vocabularyOf } from '@behalf/policy';
import { openDatabase, openDatabaseServer } from '@behalf/store';
import type { Log, StoreError } from '@behalf/store';
import { prepareBank, startExampleSubgraphs } from '@behalf/example';
import { compose } from '@behalf/gateway/tools';
import { DEMO_ACCOUNTS, demoClients } from '@behalf/example/internal';
import { DEFAULT_GATEWAY_PORT, portsFrom } from './ports.js';
import type { Ports } from './ports.js';
import { removeRunFile, writeRunFile } from './run-file.js';
import { loadSecrets } from './secrets.js';
import { projectPath } from '@behalf/example/internal';

export const EXAMPLE_AUDIENCE = 'https://api.bank.example';

export interface StartOptions {
  readonly dataDir: string;
  readonly databaseUrl?: string | undefined;
  readonly ports?: Ports;
  readonly log: GatewayLog;
  /** Hears what is being done, for somebody who waits. */
  readonly progress?: (what: string) => void;
}

export interface RunningExample {
  readonly databaseUrl: string;
  readonly embeddedDatabase: boolean;
  readonly gatewayUrl: string;
  readonly authorityUrl: string;
  readonly subgraphUrls: Readonly<Record<string, string>>;
  readonly consoleSecret: string;
  /** Settles with the error when the database ends by itself. */
  readonly databaseDied: Promise<StoreError | undefined>;
  close(): Promise<void>;
}

/** Long polls of the demo are short, so that the gateway soon knows when the stream is cut. */
const LONG_POLL_MS = 5_000;
const MAX_STALENESS_MS = 15_000;
const HOST = '127.0.0.1';

/**
 * Starts the whole example in this process: database, authority, gateway, subgraphs, each a server of its own on loopback.
 * When one of them cannot start, those that did are stopped.
 */
export async function startExample(options: StartOptions): Promise<RunningExample> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await startParts(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  options: StartOptions,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<RunningExample> {
  const {
    dataDir,
    databaseUrl,
    log,
    ports = portsFrom(DEFAULT_GATEWAY_PORT),
    progress = () => undefined,
  } = options;
  const policyFile = projectPath('policy.yaml');
  const policy = await readPolicy(policyFile);
  const secrets = await loadSecrets(dataDir);

  progress('database');
  const opening = openDatabaseServer({ databaseUrl, dataDir, log }).then((opened) => {
    closers.push(() => opened.stop());
    return opened;
  });
  const supergraphFile = projectPath('supergraph.graphql');
  // While the database starts there is time to compose. Both are waited for, so that a failure leaves nothing behind.
  const [composed, opened] = await Promise.allSettled([
    compose(projectPath('supergraph.yaml'), supergraphFile),
    opening,
  ]);
  if (opened.status === 'rejected') throw opened.reason;
  if (composed.status === 'rejected') throw composed.reason;
  const { supergraphSdl } = composed.value;
  const database = opened.value;

  progress('data');
  await prepareDatabase(database.url, secrets.auditWriterPassword, log);

  progress('services');
  const authority = await startAuthority({
    host: HOST,
    port: ports.authority,
    databaseUrl: database.url,
    dataDir,
    audience: EXAMPLE_AUDIENCE,
    policy,
    policyFile,
    vocabulary: vocabularyOf(new RuleTable(parse(supergraphSdl), { coverage: 'required' })),
    demoAccounts: DEMO_ACCOUNTS,
    clients: demoClients(secrets.console),
    streamSecret: secrets.stream,
    longPollMs: LONG_POLL_MS,
    log,
  });
  closers.push(() => authority.close());
  const reload = (): void => void authority.reloadPolicy();
  process.on('SIGHUP', reload);
  closers.push(async () => void process.off('SIGHUP', reload));

  const gatewayIssuer = `http://${HOST}:${ports.gateway}`;
  const subgraphs = await startExampleSubgraphs({
    databaseUrl: database.url,
    gateway: { issuer: gatewayIssuer, jwksUri: `${gatewayIssuer}/.well-known/jwks.json` },
    pseudonymKey: Buffer.from(secrets.pseudonymKey, 'base64url'),
    host: HOST,
    ports,
    log,
  });
  closers.push(() => subgraphs.close());

  const config = checkConfig({
    listen: { host: HOST, port: ports.gateway },
    supergraph: supergraphFile,
    policy: policyFile,
    issuers: [{ issuer: authority.issuer, audience: EXAMPLE_AUDIENCE, claims: { policies: 'policies' } }],
    authorization: { mode: 'filter', anonymous: 'allow', coverage: 'required' },
    introspection: 'authenticated',
    revocation: {
      streams: [{ issuer: authority.issuer, secret: secrets.stream }],
      maxStalenessMs: MAX_STALENESS_MS,
    },
    subgraphs: {
      customers: { url: subgraphs.urls.customers },
      accounts: { url: subgraphs.urls.accounts },
      payments: { url: subgraphs.urls.payments },
      consent: { url: subgraphs.urls.consent, roles: ['administrator'] },
    },
    audit: {
      mode: 'required',
      database: writerUrl(database.url, secrets.auditWriterPassword),
      pseudonymKey: secrets.auditPseudonymKey,
    },
  });
  const gateway = await startGateway(config, { log });
  closers.push(() => gateway.close());

  const consoleSecret = secrets.console;
  await writeRunFile(dataDir, {
    pid: process.pid,
    databaseUrl: database.url,
    gateway: gateway.url,
    authority: authority.url,
    audience: EXAMPLE_AUDIENCE,
    consoleSecret,
  });
  closers.push(() => removeRunFile(dataDir));
  await untilHealthy(gateway.url);

  return {
    databaseUrl: database.url,
    embeddedDatabase: database.embedded,
    gatewayUrl: gateway.url,
    authorityUrl: authority.url,
    subgraphUrls: subgraphs.urls,
    consoleSecret,
    databaseDied: database.closed,
    close,
  };
}

async function prepareDatabase(url: string, auditWriterPassword: string, log: Log): Promise<void> {
  const db = openDatabase<AuthoritySchema & AuditDatabase>(url, { max: 4, applicationName: 'behalf-start' });
  try {
    await migrateAuthority(db);
    await migrateAudit(db);
    const left = await createWriterRole(db, auditWriterPassword);
    if (left.length > 0) {
      log.log('warn', 'ROLE_RIGHTS_LEFT', { role: 'audit writer', rights: left.join(', ') });
    }
    await prepareBank(db as never);
  } finally {
    await db.destroy();
  }
}

const HEALTH_TIMEOUT_MS = 10_000;

/** Ready means that requests are answered: the revocations up to now have reached the gateway. */
async function untilHealthy(gatewayUrl: string): Promise<void> {
  const giveUpAt = Date.now() + HEALTH_TIMEOUT_MS;
  while (Date.now() < giveUpAt) {
    const response = await fetch(`${gatewayUrl}/health`);
    if (response.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the gateway did not become healthy');
}
