/**
 * A sequence of numbers that a generator draws from. Past its end it yields zeros, and zero is always the simplest choice: a
 * shorter sequence makes a smaller value, which lets fast-check shrink what is generated here.
 */
export class Choices {
  readonly #next: () => number;

  private constructor(next: () => number) {
    this.#next = next;
  }

  static from(numbers: readonly number[]): Choices {
    let at = 0;
    return new Choices(() => numbers[at++] ?? 0);
  }

  /** An endless sequence (mulberry32). */
  static seeded(seed: number): Choices {
    let state = seed;
    return new Choices(() => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return (mixed ^ (mixed >>> 14)) >>> 0;
    });
  }

  /** 0 to `count - 1`. */
  below(count: number): number {
    return this.#next() % count;
  }

  /** True in one of `count` cases; false is the simplest. */
  oneIn(count: number): boolean {
    return this.below(count) === count - 1;
  }

  of<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }

  /** Each with probability one half, in order; at least the first `minimum`. */
  some<Item>(items: readonly Item[], minimum = 0): Item[] {
    return items.filter((_, index) => index < minimum || this.oneIn(2));
  }
}
