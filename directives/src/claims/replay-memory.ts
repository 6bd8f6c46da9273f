import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';

/** `first`: it was not used before, and is now remembered. Only `first` permits. */
export type ReplayAnswer = 'first' | 'replayed' | 'full';

/**
 * Remembers which bound transaction tokens were used. The library's own memory serves one process. For a token to work once
 * among several instances of a subgraph, provide one on a shared store.
 */
export interface ReplayMemory {
  /**
   * Marks a token as used, atomically, so that of two concurrent calls one is `first`. If it throws or rejects, the token is
   * refused.
   *
   * @param id `jti` of the token
   * @param expiresAt seconds since the epoch; it may then be forgotten, because the token is no longer accepted
   */
  use(id: string, expiresAt: number): ReplayAnswer | Promise<ReplayAnswer>;
}

const DEFAULT_MAX_TOKENS = 100_000;

/**
 * Bounded in time and count: only expired tokens are forgotten, and a token that does not fit is refused. Forgetting unexpired
 * tokens would let a caller who fills the memory use a token twice.
 */
export class InMemoryReplay implements ReplayMemory {
  /** By the second of their expiry, so that forgetting takes one step per elapsed second. */
  readonly #bySecond = new Map<number, Set<string>>();
  #count = 0;

  readonly #maxTokens: number;
  readonly #clock: Pick<Clock, 'now'>;

  /** @param maxTokens default 100,000 */
  constructor(maxTokens = DEFAULT_MAX_TOKENS, clock: Pick<Clock, 'now'> = systemClock) {
    this.#maxTokens = maxTokens;
    this.#clock = clock;
  }

  get size(): number {
    return this.#count;
  }

  use(id: string, expiresAt: number): ReplayAnswer {
    this.#forget();
    const second = Math.ceil(expiresAt);
    const known = this.#bySecond.get(second);
    // A token has one expiry, so it can be nowhere else.
    if (known?.has(id) === true) return 'replayed';
    if (this.#count >= this.#maxTokens) return 'full';
    if (known === undefined) this.#bySecond.set(second, new Set([id]));
    else known.add(id);
    this.#count += 1;
    return 'first';
  }

  #forget(): void {
    const now = this.#clock.now() / 1_000;
    for (const [second, ids] of this.#bySecond) {
      if (second > now) continue;
      this.#bySecond.delete(second);
      this.#count -= ids.size;
    }
  }
}
