import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { StoreError } from '../errors.js';
import type { Log } from '../log.js';
import { timeoutSettings } from '../timeouts.js';
import { serverAccount } from './account.js';
import { runs } from './alive.js';
import { locateBinaries } from './binaries.js';
import { clusterFolder, DATABASE_NAME, databaseFolder, prepareCluster } from './cluster.js';
import { type Home, prepareHome } from './home.js';
import { PostgresProcess, type ProcessOptions } from './process.js';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 25;
const FREE_PORT_TRIES = 5;
const ORPHAN_WAIT_MS = 15_000;
const HOST = '127.0.0.1';
/** Databases that initdb creates. */
const OTHER_DATABASES = ['postgres', 'template1'] as const;

// Little memory, nothing on disk outside of the data folder, no statement text in the log. Durability is PostgreSQL's default.
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  jit: 'off',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

// For tests only: a crash of the machine can destroy the data, and what is deleted keeps its space.
const UNSAFE_SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  autovacuum: 'off',
};

/** @see startEmbedded */
export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly port?: number;
  readonly unsafeNoDurability?: boolean;
  readonly log: Log;
}

/** A PostgreSQL that this process started. */
export interface EmbeddedServer {
  readonly url: string;
  readonly process: PostgresProcess;
}

/** @throws StoreError see `openDatabaseServer` */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { dataDir, log, port, unsafeNoDurability } = options;
  const account = await serverAccount();
  const home = await prepareHome(dataDir, account, await locateBinaries(), log);
  await refuseOtherOwner(home);
  const password = await prepareCluster(home, account);
  const settings = unsafeNoDurability === true ? { ...SETTINGS, ...UNSAFE_SETTINGS } : SETTINGS;
  const server = await startOnPort({ home, account, settings, log }, port, password);
  await writeFile(ownerFile(home), `${process.pid}\n`, { mode: 0o600 });
  return server;
}

type Unplaced = Omit<ProcessOptions, 'port'>;

async function startOnPort(
  options: Unplaced,
  port: number | undefined,
  password: string,
): Promise<EmbeddedServer> {
  const giveUpAt = Date.now() + ORPHAN_WAIT_MS;
  for (let attempt = 1; ; attempt++) {
    const chosen = port ?? (await freePort());
    const server = PostgresProcess.start({ ...options, port: chosen });
    try {
      const url = await whenReady(server, chosen, password);
      return { url, process: server };
    } catch (error) {
      await server.stop();
      const refusal = explain(server, options.home, chosen, error);
      // Another process may take a free port before we do.
      if (refusal.code === 'PORT_IN_USE' && port === undefined && attempt < FREE_PORT_TRIES) continue;
      // No live process owns this server (checked before), so it belongs to a killed process and is shutting down.
      if (refusal.code === 'DATA_DIR_IN_USE' && Date.now() < giveUpAt) {
        await sleep(200);
        continue;
      }
      throw refusal;
    }
  }
}

async function whenReady(server: PostgresProcess, port: number, password: string): Promise<string> {
  const url = (database: string): string =>
    `postgres://${DATABASE_NAME}:${password}@${HOST}:${port}/${database}`;
  const giveUpAt = Date.now() + START_TIMEOUT_MS;
  while (server.isRunning() && Date.now() < giveUpAt) {
    const client = new pg.Client({
      connectionString: url('postgres'),
      connectionTimeoutMillis: 2_000,
      ...timeoutSettings(),
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await createDatabase(client);
      // The answer may have come from another server on this port that ours could not bind.
      await sleep(0);
      if (server.isRunning()) return url(DATABASE_NAME);
    } catch {
      await Promise.race([server.ended, sleep(POLL_MS)]);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  throw new Error('PostgreSQL did not become ready');
}

async function createDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE_NAME]);
  if (rowCount === 0) await client.query(`create database ${DATABASE_NAME}`);
  // By default, every role may connect to every database, and create temporary tables and large objects in it.
  for (const other of OTHER_DATABASES) {
    const { rows } = await client.query<{ open: boolean }>(
      `select has_database_privilege('public', $1, 'CONNECT') as open`,
      [other],
    );
    if (rows[0]?.open === true) await client.query(`revoke connect on database ${other} from public`);
  }
}

function explain(server: PostgresProcess, home: Home, port: number, cause: unknown): StoreError {
  const said = server.lines.join('\n');
  if (/Address already in use/i.test(said)) {
    return new StoreError(
      'PORT_IN_USE',
      `Port ${port} is taken on ${HOST}; choose another one for the database`,
      {
        cause,
      },
    );
  }
  if (/lock file ".*" already exists|is still in use/.test(said)) return inUse(home, 'another PostgreSQL');
  const [reason = 'it gave no reason'] = server.lines.filter((line) => /FATAL|PANIC/.test(line)).slice(-1);
  return new StoreError(
    'SERVER_START_FAILED',
    `PostgreSQL did not start on ${clusterFolder(home)}: ${reason}`,
    {
      cause,
    },
  );
}

function ownerFile(home: Home): string {
  return join(databaseFolder(home), 'owner.pid');
}

/** Gives a second start a quick and clear answer. PostgreSQL's own lock on its folder protects the data. */
async function refuseOtherOwner(home: Home): Promise<void> {
  const cluster = clusterFolder(home);
  const owner = await readPid(ownerFile(home));
  if (owner === process.pid || !(await runs(owner))) return;
  // The owner's process id may have been reused; then no server runs on the folder.
  if (await runs(await readPid(join(cluster, 'postmaster.pid')), cluster))
    throw inUse(home, `process ${owner}`);
}

async function readPid(path: string): Promise<number> {
  return Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10);
}

function inUse(home: Home, who: string): StoreError {
  return new StoreError(
    'DATA_DIR_IN_USE',
    `The data folder ${home.folder} is in use by ${who}; stop it first`,
  );
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
