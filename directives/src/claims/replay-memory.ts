/** `first`: it was not used before, and is remembered from now on. Nothing but `first` permits. */
export type ReplayAnswer = 'first' | 'replayed' | 'full';

/**
 * Remembers which bound transaction tokens were used. The one of this library is in memory, for one process; a subgraph of
 * several instances that wants a token to be good once among all of them brings one on a store that they share.
 */
export interface ReplayMemory {
  /**
   * Marks a token as used: one step, so that of two that come together one is `first`. One that throws or rejects refuses.
   *
   * @param id `jti` of the token.
   * @param expiresAt Seconds since the epoch; from then on it may be forgotten, since nobody accepts the token any more.
   */
  use(id: string, expiresAt: number): ReplayAnswer | Promise<ReplayAnswer>;
}

const DEFAULT_MAX_TOKENS = 100_000;

/**
 * Bounded by time and by count: only expired tokens are forgotten, and one that does not fit is refused. Making room by forgetting
 * unexpired tokens would let a caller who fills the memory use a token twice.
 */
export class InMemoryReplay implements ReplayMemory {
  /** By the second in which they expire, so that forgetting takes one step per second that went by. */
  readonly #bySecond = new Map<number, Set<string>>();
  #count = 0;

  readonly #maxTokens: number;
  readonly #nowSeconds: () => number;

  /**
   * @param maxTokens Default 100,000.
   * @param nowSeconds Seconds since the epoch.
   */
  constructor(maxTokens = DEFAULT_MAX_TOKENS, nowSeconds: () => number = () => Date.now() / 1000) {
    this.#maxTokens = maxTokens;
    this.#nowSeconds = nowSeconds;
  }

  get size(): number {
    return this.#count;
  }

  use(id: string, expiresAt: number): ReplayAnswer {
    this.#forget();
    const second = Math.ceil(expiresAt);
    const known = this.#bySecond.get(second);
    // A token has one expiry, so it can stand nowhere else.
    if (known?.has(id) === true) return 'replayed';
    if (this.#count >= this.#maxTokens) return 'full';
    if (known === undefined) this.#bySecond.set(second, new Set([id]));
    else known.add(id);
    this.#count += 1;
    return 'first';
  }

  #forget(): void {
    const now = this.#nowSeconds();
    for (const [second, ids] of this.#bySecond) {
      if (second > now) continue;
      this.#bySecond.delete(second);
      this.#count -= ids.size;
    }
  }
}
