import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import type { Log } from '@behalf/store';
import type { ChangeFeed } from '../changes/feed.js';
import type { ConsentRegister } from './register.js';

const BATCH = 100;
const RETRY_MS = 1_000;
// The pause while another instance is ending the consent that is due.
const MIN_WAIT_MS = 20;
// setTimeout cannot wait longer than 2^31 - 1 ms, and a consent can last longer. The feed wakes us earlier anyway.
const MAX_WAIT_MS = 60 * 60 * 1_000;

/** @see ConsentExpiry */
export interface ConsentExpiryOptions {
  readonly consents: ConsentRegister;
  /** Listens to `expiry`: wakes when a consent may end earlier than known. */
  readonly feed: ChangeFeed;
  readonly log: Log;
  /** Waits; what is due is the database's decision. Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Ends consents when they expire, with one timer to the next expiry, which is set again whenever the store announces a possibly
 * earlier one. Every instance of the authority does it; the row's lock decides which one ends a consent, so that it happens once,
 * and happens as long as any instance lives. The clock is the database's.
 */
export class ConsentExpiry {
  readonly #options: ConsentExpiryOptions;
  readonly #closed = new AbortController();
  readonly #loop: Promise<void>;

  /** Starts immediately with consents that expired while no instance ran. */
  constructor(options: ConsentExpiryOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** Waits for the current round. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { feed, clock = systemClock } = this.#options;
    while (!this.#closed.signal.aborted) {
      const round = new AbortController();
      const end = (): void => round.abort();
      this.#closed.signal.addEventListener('abort', end, { once: true });
      // Subscribe before querying, or a change in between is missed.
      const change = feed.wait(round.signal);
      const cancel = clock.after(clamped(await this.#endThoseDue()), end);
      await change;
      cancel();
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
