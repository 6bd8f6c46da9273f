import { ProofReplayStoreError } from './store.js';
import type { ProofReplayStore } from './store.js';

/** About 60 MB when full; with proofs that live for a minute, more than 5,000 requests in a second. */
const DEFAULT_MAX_REPLAY_ENTRIES = 500_000;

export interface MemoryProofReplayOptions {
  /** Default 500,000. Beyond it every claim is refused: to forget one would be to let it be used again. */
  readonly maxEntries?: number;
  /** Milliseconds, never set back. */
  readonly now?: () => number;
}

/** For one gateway. What was used before its start is not known to it. */
export class MemoryProofReplayStore implements ProofReplayStore {
  readonly knowsSinceSeconds = Math.floor(Date.now() / 1000);
  /** When each may be forgotten, in the order of the claims. */
  readonly #claimed = new Map<string, number>();
  readonly #maxEntries: number;
  readonly #now: () => number;

  constructor({ maxEntries = DEFAULT_MAX_REPLAY_ENTRIES, now }: MemoryProofReplayOptions = {}) {
    this.#maxEntries = maxEntries;
    this.#now = now ?? (() => performance.now());
  }

  get size(): number {
    return this.#claimed.size;
  }

  async claim(digest: string, keepSeconds: number): Promise<boolean> {
    const nowMs = this.#now();
    this.#forget(nowMs);
    if (this.#claimed.has(digest)) return false;
    if (this.#claimed.size >= this.#maxEntries) throw new ProofReplayStoreError('REPLAY_STORE_FULL');
    this.#claimed.set(digest, nowMs + keepSeconds * 1000);
    return true;
  }

  async close(): Promise<void> {
    this.#claimed.clear();
  }

  /** One that must be kept for longer keeps those after it, which is too long for them and never too short. */
  #forget(nowMs: number): void {
    for (const [digest, forgetAtMs] of this.#claimed) {
      if (forgetAtMs > nowMs) return;
      this.#claimed.delete(digest);
    }
  }
}
