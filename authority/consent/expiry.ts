import type { Log } from '@behalf/store';
import type { ChangeFeed } from '../changes/feed.js';
import type { ConsentRegister } from './register.js';

const BATCH = 100;
const RETRY_MS = 1_000;
// Between two looks while one that is due is in the hands of another instance.
const MIN_WAIT_MS = 20;
// What setTimeout can wait for (2^31 - 1 ms) is less than a consent can last. The feed wakes us earlier than that anyway.
const MAX_WAIT_MS = 60 * 60 * 1_000;

/** @see ConsentExpiry */
export interface ConsentExpiryOptions {
  readonly consents: ConsentRegister;
  /** Wakes when a consent may end at another time than was known; listens to `expiry`. */
  readonly feed: ChangeFeed;
  readonly log: Log;
}

/**
 * Ends consents when their time is over: one timer to the next end, set anew whenever the store says that there may be an
 * earlier one. Every instance of the authority does it; a consent is ended by whichever comes first (the row's lock
 * decides), so that it happens once, and happens as long as one instance lives. The clock is the database's.
 */
export class ConsentExpiry {
  readonly #options: ConsentExpiryOptions;
  readonly #closed = new AbortController();
  readonly #loop: Promise<void>;

  /** Begins at once: what ended while no instance was there is ended now. */
  constructor(options: ConsentExpiryOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** Waits for a round under way. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { feed } = this.#options;
    while (!this.#closed.signal.aborted) {
      const round = new AbortController();
      const end = (): void => round.abort();
      this.#closed.signal.addEventListener('abort', end, { once: true });
      // To wait begins before to look, or a change in between would be slept through.
      const change = feed.wait(round.signal);
      const timer = setTimeout(end, clamped(await this.#endThoseDue()));
      await change;
      clearTimeout(timer);
      round.abort();
      this.#closed.signal.removeEventListener('abort', end);
    }
  }

  /** @returns the milliseconds until there is more to do */
  async #endThoseDue(): Promise<number> {
    const { consents, log } = this.#options;
    try {
      if ((await consents.recordExpired(BATCH)) === BATCH) return 0;
      return (await consents.nextExpiryMs()) ?? MAX_WAIT_MS;
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown reason';
      log.log('warn', 'CONSENT_EXPIRY_FAILED', { reason });
      return RETRY_MS;
    }
  }
}

function clamped(waitMs: number): number {
  return Math.min(Math.max(waitMs, MIN_WAIT_MS), MAX_WAIT_MS);
}
