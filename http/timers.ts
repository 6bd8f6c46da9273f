/** The part of the `Clock` of `@behalf/directives` that this package needs, which imports no other. */
export interface Timers {
  /** Milliseconds since some moment, by a clock that is never set. */
  monotonic(): number;
  /**
   * Calls back once, after this many milliseconds. It does not keep the process alive.
   *
   * @returns cancels the call
   */
  after(ms: number, callback: () => void): () => void;
}

/** The machine's own. */
export const systemTimers: Timers = Object.freeze({
  monotonic: () => performance.now(),
  after(ms: number, callback: () => void) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
});
