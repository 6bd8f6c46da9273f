import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';

/** A measured program, in a process of its own and pinned to one processor where the system can do that. */
export interface MeasuredProcess {
  readonly url: string;
  /** User and system time since the process started, in microseconds. */
  cpuMicros(): Promise<number>;
  /** Bytes on the heap after garbage collection. */
  heapBytes(): Promise<number>;
  stop(): Promise<void>;
}

export type ChildMessage =
  | { readonly ready: string }
  | { readonly cpu: number }
  | { readonly heap: number }
  | { readonly failed: string };
export type ParentMessage = 'cpu' | 'heap' | 'stop';

/** The main function of a measured program: starts the server, reports its processor time, and stops when told. */
export async function runAsChild(
  start: () => Promise<{ readonly url: string; readonly close: () => Promise<void> }>,
): Promise<void> {
  const send = (message: ChildMessage): void => void process.send?.(message);
  try {
    const { url, close } = await start();
    process.on('message', (message: ParentMessage) => {
      if (message === 'cpu') {
        const { user, system } = process.cpuUsage();
        send({ cpu: user + system });
      } else if (message === 'heap') {
        globalThis.gc?.();
        send({ heap: process.memoryUsage().heapUsed });
      } else {
        void close().finally(() => process.exit(0));
      }
    });
    // The measuring process was killed.
    process.on('disconnect', () => process.exit());
    send({ ready: url });
  } catch (error) {
    send({ failed: error instanceof Error ? (error.stack ?? error.message) : 'unknown' });
    process.exitCode = 1;
  }
}

/**
 * @param program compiled file that calls {@link runAsChild}
 * @param processor the processor to pin it to; `any` leaves the choice to the system, for programs that run beside each other
 */
export async function startMeasured(
  program: string,
  env: Readonly<Record<string, string>>,
  processor: number | 'any' = 0,
): Promise<MeasuredProcess> {
  const child = fork(program, {
    env: { ...process.env, ...env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  if (child.pid !== undefined && processor !== 'any') pin(child.pid, processor);
  const first = await nextMessage(child);
  if (!('ready' in first))
    throw new Error(`${program}: ${'failed' in first ? first.failed : 'did not start'}`);
  return {
    url: first.ready,
    async cpuMicros() {
      child.send('cpu' satisfies ParentMessage);
      const answer = await nextMessage(child);
      if (!('cpu' in answer)) throw new Error('the measured process did not tell its processor time');
      return answer.cpu;
    },
    async heapBytes() {
      child.send('heap' satisfies ParentMessage);
      const answer = await nextMessage(child);
      if (!('heap' in answer)) throw new Error('the measured process did not tell its memory');
      return answer.heap;
    },
    async stop() {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.send('stop' satisfies ParentMessage);
      await exited;
    },
  };
}

function nextMessage(child: ChildProcess): Promise<ChildMessage> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`the measured process ended (${code ?? 'killed'})`));
    child.once('exit', onExit);
    child.once('message', (message: ChildMessage) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

/** Pins a process to one processor, if the system has `taskset`. */
export function pin(pid: number, processor: number): void {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', String(processor), String(pid)], { stdio: 'ignore' });
  } catch {
    // The ratios are still taken within one run; they are only noisier.
  }
}
