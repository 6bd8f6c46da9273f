import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { LRUCache } from 'lru-cache';

/** A rate limit. */
export interface BucketRate {
  /** At once. */
  readonly burst: number;
  /** One more is allowed after this time, indefinitely. */
  readonly everyMs: number;
}

/** The largest number of remembered keys: the most recently used ones. */
const MAX_REMEMBERED = 20_000;

/**
 * Token buckets in memory, one per key. A key needs one number: the time when its bucket is full again. Evicting a key takes
 * 20,000 others.
 */
export class TokenBuckets {
  readonly #rate: BucketRate;
  readonly #clock: Pick<Clock, 'monotonic'>;
  // As sizes: `max` would reserve the memory of all of them at the start.
  readonly #fullAtMs = new LRUCache<string, number>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: () => 1,
  });

  constructor(rate: BucketRate, clock: Pick<Clock, 'monotonic'> = systemClock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** The number of remembered keys. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Milliseconds until a token is available; 0 if one is. Takes none. */
  waitMs(key: string): number {
    const { burst, everyMs } = this.#rate;
    const emptyForMs = (this.#fullAtMs.get(key) ?? 0) - this.#clock.monotonic() - (burst - 1) * everyMs;
    return Math.max(0, emptyForMs);
  }

  take(key: string): void {
    const fromMs = Math.max(this.#fullAtMs.get(key) ?? 0, this.#clock.monotonic());
    this.#fullAtMs.set(key, fromMs + this.#rate.everyMs);
  }

  /** Gives a token back that turned out not to count. */
  giveBack(key: string): void {
    const atMs = this.#fullAtMs.get(key);
    if (atMs !== undefined) this.#fullAtMs.set(key, atMs - this.#rate.everyMs);
  }
}
