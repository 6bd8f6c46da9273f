import { systemTimers } from './timers.js';
import type { Timers } from './timers.js';

/** The end of a server: first not ready, then closed. */
export class Shutdown {
  readonly #closeNow: () => Promise<void>;
  readonly #clock: Pick<Timers, 'after'>;
  readonly #hurry = new AbortController();
  #isDraining = false;
  #closed: Promise<void> | undefined;

  /** @param closeNow called once */
  constructor(closeNow: () => Promise<void>, clock: Pick<Timers, 'after'> = systemTimers) {
    this.#clock = clock;
    this.#closeNow = closeNow;
  }

  /** Whether no new requests should be sent. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Closes after this time, or as soon as `close` is called. */
  async drain(notReadyMs: number): Promise<void> {
    this.#isDraining = true;
    if (!this.#hurry.signal.aborted) await this.#wait(notReadyMs);
    await this.close();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#hurry.signal.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#isDraining = true;
    this.#hurry.abort();
    this.#closed ??= this.#closeNow();
    return this.#closed;
  }
}
