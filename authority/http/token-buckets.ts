import { LRUCache } from 'lru-cache';

/** How often something may be done. */
export interface BucketRate {
  /** At once. */
  readonly burst: number;
  /** Once more after so long, without end. */
  readonly everyMs: number;
}

/** However many keys come, no more are remembered: those that were used last. */
const MAX_REMEMBERED = 20_000;

/**
 * Token buckets in memory, one for each key. Of a key one number is kept: when its bucket will be full again. To push a key out,
 * somebody has to use 20,000 others.
 */
export class TokenBuckets {
  readonly #rate: BucketRate;
  readonly #now: () => number;
  readonly #fullAtMs = new LRUCache<string, number>({ max: MAX_REMEMBERED });

  /** @param now milliseconds on a clock that is never set back */
  constructor(rate: BucketRate, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Milliseconds until something can be taken; 0: now. Takes nothing. */
  waitMs(key: string): number {
    const { burst, everyMs } = this.#rate;
    const emptyForMs = (this.#fullAtMs.get(key) ?? 0) - this.#now() - (burst - 1) * everyMs;
    return Math.max(0, emptyForMs);
  }

  take(key: string): void {
    const fromMs = Math.max(this.#fullAtMs.get(key) ?? 0, this.#now());
    this.#fullAtMs.set(key, fromMs + this.#rate.everyMs);
  }

  /** What was taken turned out not to count. */
  giveBack(key: string): void {
    const atMs = this.#fullAtMs.get(key);
    if (atMs !== undefined) this.#fullAtMs.set(key, atMs - this.#rate.everyMs);
  }
}
