import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { until } from './wait.js';

/** Longest time until a program is ready, on a machine that is busy. */
const MAX_START_MS = 60_000;

export interface Program {
  readonly child: ChildProcess;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  /** What it wrote until now, to stdout and stderr. */
  readonly output: () => string;
}

/** Programs that a test starts, and ends with it. */
export class Programs {
  readonly #running = new Set<Program>();

  run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Program {
    const child = spawn(command, [...args], { cwd, env: { ...process.env, ...env } });
    let output = '';
    const keep = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const program = { child, ended, output: () => output };
    this.#running.add(program);
    return program;
  }

  /** Waits until a program has written what says that it is ready. */
  async ready(program: Program, sign: RegExp): Promise<Program> {
    const isReady = (): boolean => sign.test(program.output());
    await until(() => isReady() || program.child.exitCode !== null, 'a program is ready', MAX_START_MS);
    if (isReady()) return program;
    throw new Error(`${program.child.spawnargs.join(' ')} did not start:\n${program.output()}`);
  }

  /** What the programs that were started with this argument have written. */
  outputOf(argument: string): string {
    return [...this.#running]
      .filter(({ child }) => child.spawnargs.includes(argument))
      .map((program) => program.output())
      .join('\n');
  }

  async stop(program: Program): Promise<void> {
    this.#running.delete(program);
    // At SIGTERM a gateway waits for load balancers.
    program.child.kill('SIGINT');
    await program.ended;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((program) => this.stop(program)));
  }
}
