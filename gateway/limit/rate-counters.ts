import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import type { RateClass } from '@behalf/policy';

/** Identifies the counted party: different for different clients, subjects and issuers. */
export type CounterKey = string;

/** Counts requests in fixed windows, one counter per rate class and key. */
export interface RateCounters {
  /**
   * Counts `requests`, even if they are too many.
   *
   * @returns milliseconds until the window ends if they are too many, otherwise undefined
   */
  consume(rateClass: RateClass, key: CounterKey, requests: number): Promise<number | undefined>;
  /** Takes back the count of a refused operation. */
  giveBack(rateClass: RateClass, key: CounterKey, requests: number): Promise<void>;
  /** Prepares the counters. @throws {ConfigurationError} for a driver that is not installed */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** Maximum number of counters; beyond it, the longest idle are forgotten. */
const MAX_COUNTERS = 100_000;
/** Rate classes of the current policy, and of earlier ones whose windows have not ended. */
const MAX_CLASSES = 1_000;

/** A class whose numbers change starts counting anew. */
export function classKey({ name, requests, perSeconds }: RateClass): string {
  return JSON.stringify([name, requests, perSeconds]);
}

/** @returns as {@link RateCounters.consume}. @throws whatever else the limiter throws */
export async function consumeFrom(
  limiter: RateLimiterAbstract,
  key: CounterKey,
  requests: number,
): Promise<number | undefined> {
  try {
    await limiter.consume(key, requests);
    return undefined;
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    return error.msBeforeNext;
  }
}

/** In this gateway's memory: _n_ gateways together admit up to _n_ times as many. */
export class MemoryRateCounters implements RateCounters {
  readonly #limiters = new LRUCache<string, RateLimiterMemory>({ max: MAX_CLASSES });
  readonly #counted: LRUCache<string, { readonly limiter: RateLimiterMemory; readonly key: CounterKey }>;

  /** @param maxCounters Default 100,000. */
  constructor(maxCounters = MAX_COUNTERS) {
    this.#counted = new LRUCache({
      // As sizes: `max` would reserve the memory of all of them at the start.
      maxSize: maxCounters,
      sizeCalculation: () => 1,
      // The limiter itself keeps a counter for every key until its window ends, however many there are.
      dispose: ({ limiter, key }) => void limiter.delete(key),
    });
  }

  consume(rateClass: RateClass, key: CounterKey, requests: number): Promise<number | undefined> {
    return consumeFrom(this.#limiterOf(rateClass, key), key, requests);
  }

  /** Counts without a result: another store has already answered. */
  async note(rateClass: RateClass, key: CounterKey, requests: number): Promise<void> {
    await this.#limiterOf(rateClass, key).penalty(key, requests);
  }

  async giveBack(rateClass: RateClass, key: CounterKey, requests: number): Promise<void> {
    await this.#limiterOf(rateClass, key).reward(key, requests);
  }

  async open(): Promise<void> {
    // It is there.
  }

  async close(): Promise<void> {
    this.#counted.clear();
  }

  #limiterOf(rateClass: RateClass, key: CounterKey): RateLimiterMemory {
    const name = classKey(rateClass);
    let limiter = this.#limiters.get(name);
    if (limiter === undefined) {
      limiter = new RateLimiterMemory({ points: rateClass.requests, duration: rateClass.perSeconds });
      this.#limiters.set(name, limiter);
    }
    const counter = `${name} ${key}`;
    if (this.#counted.get(counter)?.limiter !== limiter) this.#counted.set(counter, { limiter, key });
    return limiter;
  }
}
