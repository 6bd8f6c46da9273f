/**
 * The time, as all of Behalf reads it and waits for it. Nothing else in the packages asks the machine for the time or sets a
 * timer, so a test that passes its own clock decides what time it is, and waits for nothing.
 *
 * @example
 * ```ts
 * import type { Clock } from '@behalf/directives';
 *
 * // A machine that is an hour ahead.
 * export const ahead: Clock = {
 *   now: () => Date.now() + 3_600_000,
 *   monotonic: () => performance.now(),
 *   after: (ms, callback) => {
 *     const timer = setTimeout(callback, ms);
 *     return () => clearTimeout(timer);
 *   },
 *   sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
 * };
 * ```
 */
export interface Clock {
  /** Milliseconds since the epoch. This clock is set, and can be set back. */
  now(): number;
  /** Milliseconds since some moment, by a clock that is never set. */
  monotonic(): number;
  /**
   * Calls back once, after this many milliseconds. It does not keep the process alive.
   *
   * @returns cancels the call
   */
  after(ms: number, callback: () => void): () => void;
  /** Resolves after this many milliseconds, or as soon as the signal aborts. It keeps the process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms: number, callback: () => void) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  sleep(ms: number, signal?: AbortSignal) {
    return new Promise<void>((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener('abort', end);
    });
  },
});

/**
 * The time since the epoch by a clock that is never set: what `now` showed when this was called, and what has passed since.
 */
export function steadyTime(clock: Clock): () => number {
  const epochMs = clock.now() - clock.monotonic();
  return () => epochMs + clock.monotonic();
}

/**
 * Calls back again and again, each time this many milliseconds after the last call.
 *
 * @returns ends the calls
 */
export function every(clock: Clock, ms: number, callback: () => void): () => void {
  let cancel = clock.after(ms, again);
  function again(): void {
    cancel = clock.after(ms, again);
    callback();
  }
  return () => cancel();
}
