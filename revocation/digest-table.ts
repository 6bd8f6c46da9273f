/** 128 bits of a digest, as four words. */
export type Digest = Uint32Array;

export const DIGEST_WORDS = 4;
/** Four words of the digest, then two of times. */
const NOT_BEFORE = DIGEST_WORDS;
const FORGET_AT = DIGEST_WORDS + 1;
const SLOT_WORDS = DIGEST_WORDS + 2;
const LEAST_SLOTS = 64;
/** Beyond this load, a miss takes too many steps. */
const LARGEST_LOAD = 0.75;
const GROWTH = 1.5;
/** Pause between purges, because each scans every entry. */
const FORGET_AT_MOST_EVERY_SECONDS = 60;

/**
 * A map from digests to a time, in one block of memory outside of the garbage collector's reach: 24 bytes per slot, 32 to 48
 * per entry. (A `Map` with string keys takes about 250, and every full collection walks a million of them.)
 *
 * Entries are never deleted one by one: expired ones stay until the table is rebuilt, which keeps all others.
 */
export class DigestTable {
  #slots = new Uint32Array(LEAST_SLOTS * SLOT_WORDS);
  #entries = 0;
  /** Nothing is forgotten before; seconds since the epoch. */
  #earliestForgetAt = Number.POSITIVE_INFINITY;
  #forgotAt = 0;
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** The latest time for the digest; undefined for an unknown one. */
  get(digest: Digest): number | undefined {
    const slot = this.#find(this.#slots, digest);
    return this.#slots[slot + FORGET_AT] === 0 ? undefined : this.#slots[slot + NOT_BEFORE];
  }

  /**
   * Raises the time of a digest, and until when it is kept. Whole seconds since the epoch.
   *
   * @returns false if the table is full and nothing in it has expired
   */
  raise(digest: Digest, notBefore: number, forgetAt: number, nowSeconds: number): boolean {
    let slot = this.#find(this.#slots, digest);
    const isKnown = this.#slots[slot + FORGET_AT] !== 0;
    if (!isKnown) {
      if (this.#entries >= this.#maxEntries) this.#forget(nowSeconds);
      if (this.#entries >= this.#maxEntries) return false;
      if ((this.#entries + 1) * SLOT_WORDS > this.#slots.length * LARGEST_LOAD) {
        this.#rebuild(nowSeconds);
      }
      slot = this.#find(this.#slots, digest);
      this.#slots.set(digest, slot);
      this.#entries += 1;
    }
    this.#slots[slot + NOT_BEFORE] = Math.max(this.#slots[slot + NOT_BEFORE] ?? 0, notBefore);
    this.#slots[slot + FORGET_AT] = Math.max(this.#slots[slot + FORGET_AT] ?? 0, forgetAt);
    this.#earliestForgetAt = Math.min(this.#earliestForgetAt, forgetAt);
    return true;
  }

  /** Frees the memory of expired entries from time to time. */
  tidy(nowSeconds: number): void {
    if (nowSeconds - this.#forgotAt < FORGET_AT_MOST_EVERY_SECONDS) return;
    this.#forget(nowSeconds);
  }

  #forget(nowSeconds: number): void {
    if (nowSeconds < this.#earliestForgetAt) return;
    this.#rebuild(nowSeconds);
  }

  /** The slot of the digest that begins at `from`, or the empty slot for it. There is always an empty one. */
  #find(slots: Uint32Array, digest: Digest, from = 0): number {
    const count = slots.length / SLOT_WORDS;
    let slot = Math.floor(((digest[from] ?? 0) / 0x1_0000_0000) * count) * SLOT_WORDS;
    while (slots[slot + FORGET_AT] !== 0 && !isAt(slots, slot, digest, from)) {
      slot += SLOT_WORDS;
      if (slot === slots.length) slot = 0;
    }
    return slot;
  }

  /** Copies unexpired entries into a table with room to grow. */
  #rebuild(nowSeconds: number): void {
    const before = this.#slots;
    const isLive = (slot: number): boolean => (before[slot + FORGET_AT] ?? 0) > nowSeconds;
    let live = 0;
    for (let slot = 0; slot < before.length; slot += SLOT_WORDS) if (isLive(slot)) live += 1;
    const count = Math.ceil((live + 1) * (GROWTH / LARGEST_LOAD));
    const after = new Uint32Array(Math.max(LEAST_SLOTS, count) * SLOT_WORDS);
    this.#earliestForgetAt = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < before.length; slot += SLOT_WORDS) {
      if (!isLive(slot)) continue;
      const to = this.#find(after, before, slot);
      for (let word = 0; word < SLOT_WORDS; word += 1) after[to + word] = before[slot + word] ?? 0;
      this.#earliestForgetAt = Math.min(this.#earliestForgetAt, before[slot + FORGET_AT] ?? 0);
    }
    this.#slots = after;
    this.#entries = live;
    this.#forgotAt = nowSeconds;
  }
}

function isAt(slots: Uint32Array, slot: number, digest: Digest, from: number): boolean {
  return (
    slots[slot] === digest[from] &&
    slots[slot + 1] === digest[from + 1] &&
    slots[slot + 2] === digest[from + 2] &&
    slots[slot + 3] === digest[from + 3]
  );
}
