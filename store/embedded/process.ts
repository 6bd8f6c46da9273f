import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { Log } from '../log.js';
import type { Account } from './account.js';
import { clusterFolder, serverEnvironment } from './cluster.js';
import type { Home } from './home.js';

const FAST_SHUTDOWN_MS = 20_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;
const MAX_KEPT_LINES = 20;

// Reads a pipe whose other end only our process holds. The pipe closes however our process ends, and the watchdog then stops the
// server. Without it, SIGKILL would leave the server behind.
const WATCHDOG = 'cat >/dev/null; kill -INT "$1"';

/** @see PostgresProcess.start */
export interface ProcessOptions {
  readonly home: Home;
  readonly account: Account | undefined;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** A running `postgres`. It listens on the loopback address only, and ends with this process. */
export class PostgresProcess {
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  readonly pid: number | undefined;
  #running = true;
  readonly #server: ChildProcess;
  readonly #watchdog: ChildProcess | undefined;
  readonly #lines: string[] = [];

  private constructor(server: ChildProcess, watchdog: ChildProcess | undefined, log: Log) {
    this.#server = server;
    this.#watchdog = watchdog;
    this.pid = server.pid;
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#running = false;
        this.#dismissWatchdog();
        resolve();
      };
      server.once('error', (error) => {
        this.#keep(error.message);
        end();
      });
      server.once('close', end);
    });
    if (server.stderr === null) return;
    createInterface({ input: server.stderr }).on('line', (line) => {
      this.#keep(line);
      // While it starts, we provoke this message by trying to connect.
      if (/ (PANIC|FATAL|ERROR|WARNING): /.test(line) && !line.endsWith('is starting up'))
        log.log('warn', 'POSTGRES_MESSAGE', { message: line });
    });
  }

  /** Starts the server. It may not accept connections yet. */
  static start(options: ProcessOptions): PostgresProcess {
    const { account, home, port, settings, log } = options;
    const parameters = Object.entries({ ...settings, port: `${port}` });
    const args = [
      '-D',
      clusterFolder(home),
      ...parameters.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    // Its own session, so that Ctrl-C in a terminal reaches only this process, which then stops the server properly.
    const server = spawn(join(home.binaries.folder, 'bin', 'postgres'), args, {
      ...account,
      cwd: '/',
      detached: true,
      env: serverEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return new PostgresProcess(
      server,
      server.pid === undefined ? undefined : watch(server.pid, account),
      log,
    );
  }

  isRunning(): boolean {
    return this.#running;
  }

  /** The last lines of the server's log. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Stops the server: first a fast shutdown, then an immediate one, then SIGKILL. Does nothing if it has ended. */
  async stop(): Promise<void> {
    await this.#signal('SIGINT', FAST_SHUTDOWN_MS);
    await this.#signal('SIGQUIT', IMMEDIATE_SHUTDOWN_MS);
    await this.#signal('SIGKILL', IMMEDIATE_SHUTDOWN_MS);
  }

  async #signal(signal: NodeJS.Signals, waitMs: number): Promise<void> {
    if (!this.#running) return;
    this.#server.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, waitMs)));
    await Promise.race([this.ended, late]);
    clearTimeout(timer);
  }

  /** Ends the watchdog before the server's process id can be reused. */
  #dismissWatchdog(): void {
    const pid = this.#watchdog?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has already ended.
    }
  }

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > MAX_KEPT_LINES) this.#lines.shift();
  }
}

function watch(serverPid: number, account: Account | undefined): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', `${serverPid}`], {
    ...account,
    cwd: '/',
    detached: true,
    env: serverEnvironment(),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Its pipe must neither keep an otherwise finished program alive nor break it.
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref();
  watchdog.unref();
  return watchdog;
}
