import type { Clock } from '@behalf/directives';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * A clock that a test advances. Timers fire in the order of their times, and what they cause has run before the next one fires.
 *
 * A running clock also goes on by itself, as the machine's does: for programs that wait for each other over real connections.
 */
export class ManualClock implements Clock {
  readonly #startMs: number;
  readonly #isRunning: boolean;
  readonly #beganMs = performance.now();
  readonly #timers = new Set<Timer>();
  #advancedMs = 0;
  /** The clock that is set was set by so much. */
  #setMs = 0;

  constructor({ startMs = Date.now(), isRunning = false }: { startMs?: number; isRunning?: boolean } = {}) {
    this.#startMs = startMs;
    this.#isRunning = isRunning;
  }

  /** A clock that goes on by itself. */
  static running(): ManualClock {
    return new ManualClock({ isRunning: true });
  }

  now(): number {
    return this.#startMs + this.monotonic() + this.#setMs;
  }

  monotonic(): number {
    return this.#advancedMs + (this.#isRunning ? performance.now() - this.#beganMs : 0);
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { dueMs: this.monotonic() + ms, callback };
    this.#timers.add(timer);
    const real = this.#isRunning ? setTimeout(() => this.#fire(timer), ms).unref() : undefined;
    return () => {
      clearTimeout(real);
      this.#timers.delete(timer);
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const end = (): void => {
        cancel();
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.after(ms, end);
      signal?.addEventListener('abort', end);
    });
  }

  /** How many calls are waited for. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets this much time pass. */
  async advance(ms: number): Promise<void> {
    const endMs = this.monotonic() + ms;
    for (let next = this.#nextUntil(endMs); next !== undefined; next = this.#nextUntil(endMs)) {
      this.#advancedMs += Math.max(0, next.dueMs - this.monotonic());
      this.#fire(next);
      await settled();
    }
    this.#advancedMs += Math.max(0, endMs - this.monotonic());
    await settled();
  }

  /** Sets the clock forth, or back, as an administrator does: no time passes. */
  set(byMs: number): void {
    this.#setMs += byMs;
  }

  #nextUntil(endMs: number): Timer | undefined {
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= endMs);
    return due.sort((one, other) => one.dueMs - other.dueMs)[0];
  }

  #fire(timer: Timer): void {
    if (!this.#timers.delete(timer)) return;
    timer.callback();
  }
}

/** Promises that are settled already have called back. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
