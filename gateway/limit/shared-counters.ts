import { hash } from 'node:crypto';
import type { Clock } from '@behalf/directives';
import { LRUCache } from 'lru-cache';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import type { RateClass } from '@behalf/policy';
import type { GatewayLog } from '../log.js';
import { storeReason } from '../system-code.js';
import { classKey, consumeFrom, MemoryRateCounters } from './rate-counters.js';
import type { CounterKey, RateCounters } from './rate-counters.js';

/** A store that several gateways share. */
export interface CounterStore {
  /** The limiter of one rate class, whose keys begin with the prefix. */
  limiter(rateClass: RateClass, prefix: string): RateLimiterAbstract;
  /** Why the current connection is not used, or the last one ended; undefined while nothing failed. */
  failure?(): Error | undefined;
  close(): Promise<void>;
}

/** Longest time that a request waits for the store. */
export const MAX_STORE_WAIT_MS = 500;
/** Pause after a failure, before one request tries the store again. */
const RETRY_AFTER_MS = 2_000;
const MAX_CLASSES = 1_000;
const KEY_PREFIX = 'behalf-rate';

class StoreTimeoutError extends Error {
  override readonly name = 'StoreTimeoutError';
}

/**
 * Counts in a store that several gateways share. If the store does not respond in time, this gateway counts by itself, from
 * what it has admitted in the window: then _n_ gateways together admit up to _n_ times as many, never more, and nobody waits
 * for the store while it is down.
 */
export class SharedRateCounters implements RateCounters {
  readonly #openStore: () => Promise<CounterStore>;
  readonly #log: GatewayLog;
  readonly #clock: Clock;
  readonly #own = new MemoryRateCounters();
  readonly #limiters = new LRUCache<string, RateLimiterAbstract>({ max: MAX_CLASSES });
  /** Undefined before it is opened: nothing is served yet. */
  #store: CounterStore | undefined;
  /** Undefined while the store responds. */
  #askAgainAtMs: number | undefined;

  constructor(openStore: () => Promise<CounterStore>, log: GatewayLog, clock: Clock) {
    this.#openStore = openStore;
    this.#log = log;
    this.#clock = clock;
  }

  async consume(rateClass: RateClass, key: CounterKey, requests: number): Promise<number | undefined> {
    const counter = digestOf(rateClass, key);
    const limiter = this.#limiterOf(rateClass);
    if (limiter === undefined || !this.#mayAsk()) return this.#own.consume(rateClass, counter, requests);
    try {
      this.#refuseFailed();
      const waitMs = await withDeadline(consumeFrom(limiter, counter, requests), this.#clock);
      this.#markAnswered();
      await this.#own.note(rateClass, counter, requests);
      return waitMs;
    } catch (error) {
      this.#markFailed(this.#store?.failure?.() ?? error);
      return this.#own.consume(rateClass, counter, requests);
    }
  }

  async giveBack(rateClass: RateClass, key: CounterKey, requests: number): Promise<void> {
    const counter = digestOf(rateClass, key);
    await this.#own.giveBack(rateClass, counter, requests);
    const limiter = this.#limiterOf(rateClass);
    if (limiter === undefined || this.#askAgainAtMs !== undefined) return;
    try {
      await withDeadline(limiter.reward(counter, requests), this.#clock);
    } catch (error) {
      // The caller's count stays: too much rather than too little.
      this.#markFailed(error);
    }
  }

  async open(): Promise<void> {
    this.#store ??= await this.#openStore();
  }

  async close(): Promise<void> {
    await this.#own.close();
    await this.#store?.close();
  }

  /** While the store is down, one request at a time finds out whether it is back. */
  #mayAsk(): boolean {
    if (this.#askAgainAtMs === undefined) return true;
    if (this.#clock.monotonic() < this.#askAgainAtMs) return false;
    this.#askAgainAtMs = this.#clock.monotonic() + RETRY_AFTER_MS;
    return true;
  }

  /** A store that refuses the database or the password counts nothing, although its driver would go on without. */
  #refuseFailed(): void {
    const failure = this.#store?.failure?.();
    if (failure !== undefined) throw failure;
  }

  #markAnswered(): void {
    if (this.#askAgainAtMs === undefined) return;
    this.#askAgainAtMs = undefined;
    this.#log.log('info', 'RATE_STORE_AVAILABLE');
  }

  #markFailed(error: unknown): void {
    const wasUp = this.#askAgainAtMs === undefined;
    this.#askAgainAtMs = this.#clock.monotonic() + RETRY_AFTER_MS;
    // Nothing of the error: it can contain the address with the password.
    if (wasUp) this.#log.log('error', 'RATE_STORE_UNAVAILABLE', { reason: reasonOf(error) });
  }

  #limiterOf(rateClass: RateClass): RateLimiterAbstract | undefined {
    const name = classKey(rateClass);
    let limiter = this.#limiters.get(name);
    if (limiter === undefined && this.#store !== undefined) {
      limiter = this.#store.limiter(rateClass, KEY_PREFIX);
      this.#limiters.set(name, limiter);
    }
    return limiter;
  }
}

/** Hashed, so that the store sees neither clients nor people by name, and keys have a fixed length. */
function digestOf(rateClass: RateClass, key: CounterKey): string {
  return hash('sha256', `${classKey(rateClass)} ${key}`, 'base64url');
}

function reasonOf(error: unknown): string {
  return error instanceof StoreTimeoutError ? 'TIMEOUT' : storeReason(error);
}

async function withDeadline<Answer>(answer: Promise<Answer>, clock: Clock): Promise<Answer> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(MAX_STORE_WAIT_MS, () => reject(new StoreTimeoutError()));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel();
  }
}
