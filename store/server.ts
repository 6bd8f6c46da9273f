import { resolve } from 'node:path';

import { checkServerOptions } from './check-options.js';
import { StoreError } from './errors.js';
import { checkDatabase } from './external.js';
import { type Log, silentLog } from './log.js';

/** The options of {@link openDatabaseServer}. */
export interface DatabaseServerOptions {
  /** A PostgreSQL of your own, version 15 or newer. Without it, one is started in `dataDir`. */
  readonly databaseUrl?: string | undefined;
  /** Created if missing. Holds the started server's files and its password (mode 0600). */
  readonly dataDir: string;
  /** The port of the started server, on the loopback address. Default: any free port. */
  readonly port?: number;
  /**
   * For tests only: start the server without fsync and without autovacuum. A crash of the machine can destroy the data.
   */
  readonly unsafeNoDurability?: boolean;
  readonly log?: Log;
}

/** A PostgreSQL that accepts connections. */
export interface DatabaseServer {
  /** Contains user and password: never log it. */
  readonly url: string;
  /** True if this process started the server, and will stop it. */
  readonly embedded: boolean;
  /** The process id of the started server. */
  readonly pid: number | undefined;
  /** Resolves with undefined after `stop()`, or with `SERVER_DIED` if a started server ended unexpectedly. Never rejects. */
  readonly closed: Promise<StoreError | undefined>;
  /** Stops a started server and waits for its end; does nothing to your own. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Opens the store: checks that the given database can be used, or starts one. Close your connections before `stop()`. A started server
 * ends with this process, even if the process is killed.
 *
 * @throws StoreError any code except `MIGRATION_FAILED` and `SERVER_DIED`; nothing is left running then
 *
 * @example
 * ```ts
 * import { openDatabaseServer } from '@behalf/store';
 *
 * const server = await openDatabaseServer({ databaseUrl: process.env.DATABASE_URL, dataDir: '.behalf' });
 * await server.stop();
 * ```
 */
export async function openDatabaseServer(options: DatabaseServerOptions): Promise<DatabaseServer> {
  checkServerOptions(options);
  if (options.databaseUrl !== undefined && options.databaseUrl !== '') return foreign(options.databaseUrl);
  // Loaded on demand: with a PostgreSQL of your own, nothing of it is needed.
  const { startEmbedded } = await import('./embedded/server.js');
  const dataDir = resolve(options.dataDir);
  const { url, process: server } = await startEmbedded({
    ...options,
    dataDir,
    log: options.log ?? silentLog,
  });
  let stopping = false;
  const closed = server.ended.then(() => {
    if (stopping) return undefined;
    const last = server.lines.at(-1) ?? 'it gave no reason';
    return new StoreError(
      'SERVER_DIED',
      `PostgreSQL (process ${String(server.pid)}) ended unexpectedly: ${last}`,
    );
  });
  return {
    url,
    embedded: true,
    pid: server.pid,
    closed,
    async stop() {
      stopping = true;
      await server.stop();
    },
  };
}

async function foreign(url: string): Promise<DatabaseServer> {
  await checkDatabase(url);
  let close: () => void = () => undefined;
  const closed = new Promise<undefined>((resolve) => (close = () => resolve(undefined)));
  return { url, embedded: false, pid: undefined, closed, stop: async () => close() };
}
