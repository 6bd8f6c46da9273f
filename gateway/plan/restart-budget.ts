import type { Clock } from '@behalf/directives';

/** Planners that may be replaced immediately. */
const BURST = 3;
/** Share of one processor that replacing planners may take in the long run. */
const SHARE = 0.2;

/**
 * Decides when a stopped planner may be replaced. Creating one costs as much as reading the whole supergraph, and a client
 * could force it again and again.
 */
export class RestartBudget {
  readonly #starts: number[] = [];
  /** Start-up time of the last planner. */
  #costMs = 0;

  readonly #clock: Pick<Clock, 'monotonic'>;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** A planner is ready. */
  note(costMs: number): void {
    this.#costMs = costMs;
  }

  /** Milliseconds to wait; 0: it may be created now, and is counted. */
  take(): number {
    const [oldest] = this.#starts;
    if (oldest !== undefined && this.#starts.length >= BURST) {
      const waitMs = oldest + (BURST * this.#costMs) / SHARE - this.#clock.monotonic();
      if (waitMs > 0) return Math.ceil(waitMs);
      this.#starts.shift();
    }
    this.#starts.push(this.#clock.monotonic());
    return 0;
  }
}
