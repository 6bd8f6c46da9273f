import { resolve } from 'node:path';

import { StoreError } from './errors.js';
import { checkDatabase } from './external.js';
import { type Log, silentLog } from './log.js';

/** @see openDatabaseServer */
export interface DatabaseServerOptions {
  /** A PostgreSQL of your own, 15 or newer. Without it, one is started in `dataDir`. */
  readonly databaseUrl?: string | undefined;
  /** Made when missing. Holds the started server's files and its password (mode 0600). */
  readonly dataDir: string;
  /** For the started server, on the loopback address; default: one that is free, another at each start. */
  readonly port?: number;
  /**
   * For tests only: start the server without fsync. The data may be destroyed when the machine crashes.
   */
  readonly unsafeNoDurability?: boolean;
  readonly log?: Log;
}

/** A PostgreSQL that answers. */
export interface DatabaseServer {
  /** With user and password: never log it. */
  readonly url: string;
  /** True when this process started it, and ends it. */
  readonly embedded: boolean;
  /** Of the started server. */
  readonly pid: number | undefined;
  /** Settles with undefined after `stop()`, with the error (`server_died`) when a started server ended by itself. Never rejects. */
  readonly closed: Promise<StoreError | undefined>;
  /** Stops a started server and waits for its end; leaves a foreign one alone. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Opens the store: sees that the given database can be used, or starts one. Close what you opened on it before `stop()`.
 * A started server ends with this process, even when that is killed.
 *
 * @throws StoreError every code but `migration_failed` and `server_died`; nothing that was started is left
 */
export async function openDatabaseServer(options: DatabaseServerOptions): Promise<DatabaseServer> {
  if (options.databaseUrl !== undefined && options.databaseUrl !== '') return foreign(options.databaseUrl);
  // Loaded here only: whoever has a PostgreSQL of their own needs nothing of it.
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
      'server_died',
      `PostgreSQL (process ${String(server.pid)}) ended by itself: ${last}`,
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
