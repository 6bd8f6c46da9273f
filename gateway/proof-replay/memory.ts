import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { checkMemoryOptions } from './check-options.js';
import { ProofReplayStoreError } from './store.js';
import type { ProofReplayStore } from './store.js';

/** About 60 MB when full; for proofs that live for a minute, more than 5,000 requests a second. */
const DEFAULT_MAX_REPLAY_ENTRIES = 500_000;

/** The options of {@link MemoryProofReplayStore}. */
export interface MemoryProofReplayOptions {
  /** From 1 to 16,777,216; default 500,000. Beyond it every claim is refused: forgetting one would let it be reused. */
  readonly maxEntries?: number;
  /** Default: the machine's. */
  readonly clock?: Pick<Clock, 'now' | 'monotonic'>;
}

/**
 * For one gateway. It does not know what was used before its start.
 *
 * @example
 * ```ts
 * import { MemoryProofReplayStore, type ProtectionOptions } from '@behalf/gateway';
 *
 * const replay = new MemoryProofReplayStore({ maxEntries: 100_000 });
 * export const dpop: ProtectionOptions['dpop'] = { replay };
 * ```
 */
export class MemoryProofReplayStore implements ProofReplayStore {
  readonly knowsSinceSeconds: number;
  /** When each may be forgotten, in the order of the claims. */
  readonly #claimed = new Map<string, number>();
  readonly #maxEntries: number;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;

  /** @throws {ConfigurationError} naming the option */
  constructor(options: MemoryProofReplayOptions = {}) {
    checkMemoryOptions(options);
    const { maxEntries = DEFAULT_MAX_REPLAY_ENTRIES, clock = systemClock } = options;
    this.#maxEntries = maxEntries;
    this.#clock = clock;
    this.knowsSinceSeconds = Math.floor(clock.now() / 1000);
  }

  /** The number of proofs that are remembered at present. */
  get size(): number {
    return this.#claimed.size;
  }

  async claim(digest: string, keepSeconds: number): Promise<boolean> {
    const nowMs = this.#clock.monotonic();
    this.#forget(nowMs);
    if (this.#claimed.has(digest)) return false;
    this.#refuseFull();
    this.#claimed.set(digest, nowMs + keepSeconds * 1000);
    return true;
  }

  /** @throws {ProofReplayStoreError} if every claim would be refused now */
  async check(): Promise<void> {
    this.#forget(this.#clock.monotonic());
    this.#refuseFull();
  }

  async close(): Promise<void> {
    this.#claimed.clear();
  }

  #refuseFull(): void {
    if (this.#claimed.size >= this.#maxEntries) throw new ProofReplayStoreError('REPLAY_STORE_FULL');
  }

  /** One with a longer time delays those after it, which is too long for them and never too short. */
  #forget(nowMs: number): void {
    for (const [digest, forgetAtMs] of this.#claimed) {
      if (forgetAtMs > nowMs) return;
      this.#claimed.delete(digest);
    }
  }
}
