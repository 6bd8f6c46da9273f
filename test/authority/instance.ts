import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import type { Answer, Change, FromChild } from './failover-child.js';
import { projectPath } from '@behalf/example/internal';

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** One instance of the authority in a process of its own (see failover-child.ts). */
export class Instance {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    child.on('message', (message: FromChild) => {
      if ('listening' in message) return;
      const waiting = this.#waiting.get(message.number);
      this.#waiting.delete(message.number);
      if ('answer' in message) waiting?.resolve(message.answer);
      else waiting?.reject(new Error(message.failed));
    });
    child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the instance ended'));
      this.#waiting.clear();
    });
  }

  static async start(env: Readonly<Record<string, string>>): Promise<Instance> {
    const child = fork(projectPath('test/dist/authority/failover-child.js'), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr?.on('data', (text: Buffer) => (said = `${said}${text.toString()}`.slice(-2_000)));
    const first = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    const message = first[0] as FromChild | number | null;
    if (typeof message !== 'object' || message === null || !('listening' in message))
      throw new Error(`an instance did not start: ${said}`);
    return new Instance(child, message.listening);
  }

  get isAlive(): boolean {
    return this.#child.connected;
  }

  /** Changes that are not answered yet. */
  get unanswered(): number {
    return this.#waiting.size;
  }

  /** @throws Error if it is unknown whether the change was made: it failed, or the instance ended */
  change(change: Change): Promise<Answer> {
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#child.send({ number, change }, (error) => {
        if (error === null) return;
        this.#waiting.delete(number);
        reject(error);
      });
    });
  }

  /** Without a chance to shut down. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
