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

// Reads a pipe whose other end only our process holds. The pipe closes when we end, however we end, and then the
// server is told to stop. Without it, SIGKILL would leave the server behind.
const WATCHDOG = 'cat >/dev/null; kill -INT "$1"';

/** @see PostgresProcess.start */
export interface ProcessOptions {
  readonly home: Home;
  readonly account: Account | undefined;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** One running `postgres`. It listens on the loopback address only, and ends when this process does. */
export class PostgresProcess {
  /** Settles when the server has ended, for whatever reason. */
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
      // That it is not ready yet is what we ask for while it starts.
      if (/ (PANIC|FATAL|ERROR|WARNING): /.test(line) && !line.endsWith('is starting up'))
        log.log('warn', 'POSTGRES_MESSAGE', { message: line });
    });
  }

  /** Starts the server; that it runs does not yet mean that it answers. */
  static start(options: ProcessOptions): PostgresProcess {
    const { account, home, port, settings, log } = options;
    const parameters = Object.entries({ ...settings, port: `${port}` });
    const args = [
      '-D',
      clusterFolder(home),
      ...parameters.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    // A session of its own: Ctrl-C in a terminal reaches this process alone, which then stops the server in order.
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

  /** The last lines that the server wrote. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Stops the server: in order, then at once, then by force. Does nothing when it has ended. */
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

  /** Before the server's process id can belong to somebody else. */
  #dismissWatchdog(): void {
    const pid = this.#watchdog?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
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
  // Its pipe must not keep a program alive that has nothing else to do, nor break it.
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref();
  watchdog.unref();
  return watchdog;
}
