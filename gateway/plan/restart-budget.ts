/** Planners that may be replaced at once. */
const BURST = 3;
/** Of one processor, which replacing planners may take for any length of time. */
const SHARE = 0.2;

/**
 * When a planner that was stopped may be replaced. To make one costs as much as reading the whole supergraph, and whoever sends
 * operations that are stopped would have it made again and again.
 */
export class RestartBudget {
  readonly #starts: number[] = [];
  /** Of the last planner, until it could plan. */
  #costMs = 0;

  readonly #now: () => number;

  /** @param now Milliseconds on a clock that is never set back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A planner has become ready. */
  note(costMs: number): void {
    this.#costMs = costMs;
  }

  /** Milliseconds to wait; 0: it may be made now, and is counted. */
  take(): number {
    const [oldest] = this.#starts;
    if (oldest !== undefined && this.#starts.length >= BURST) {
      const waitMs = oldest + (BURST * this.#costMs) / SHARE - this.#now();
      if (waitMs > 0) return Math.ceil(waitMs);
      this.#starts.shift();
    }
    this.#starts.push(this.#now());
    return 0;
  }
}
