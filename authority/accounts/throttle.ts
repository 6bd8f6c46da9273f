import { createHash } from 'node:crypto';

import { type BucketRate, TokenBuckets } from '../http/token-buckets.js';

/**
 * Wrong passwords that are looked at. NIST SP 800-63B section 5.2.2 limits them by account; by network as well, or one client
 * could try one password with every name.
 */
export const SIGN_IN_RATES = {
  /** Of one name from one network, or from one known browser. */
  pair: { burst: 5, everyMs: 12_000 },
  /** Of one name, from wherever. */
  name: { burst: 10, everyMs: 60_000 },
  /** From one network, for whatever names. */
  network: { burst: 30, everyMs: 6_000 },
} as const satisfies Record<string, BucketRate>;

/** Somebody who would sign in. */
export interface Attempt {
  /** Normalized. */
  readonly name: string;
  /** @see networkOf */
  readonly network: string;
  /** Where this person has signed in before. @see KnownBrowsers */
  readonly browser: string | undefined;
}

interface Counted {
  readonly buckets: TokenBuckets;
  readonly key: string;
}

/**
 * Slows down the guessing of passwords: of one name from one network, of one name from anywhere, and from one network for any
 * names. What is too much is not even looked at. A known browser is counted by itself alone, whatever others do. In memory and
 * of bounded size; each instance counts for itself (docs/decisions/0034).
 */
export class SignInThrottle {
  readonly #pairs: TokenBuckets;
  readonly #names: TokenBuckets;
  readonly #networks: TokenBuckets;

  /** @param now milliseconds on a clock that is never set back */
  constructor(now?: () => number) {
    this.#pairs = new TokenBuckets(SIGN_IN_RATES.pair, now);
    this.#names = new TokenBuckets(SIGN_IN_RATES.name, now);
    this.#networks = new TokenBuckets(SIGN_IN_RATES.network, now);
  }

  /**
   * Counts an attempt before it is known to be wrong, so that parallel ones count.
   *
   * @returns milliseconds to wait; 0: it is admitted, and counted
   */
  admit(attempt: Attempt): number {
    const counted = this.#countedBy(attempt);
    const waitMs = Math.max(...counted.map(({ buckets, key }) => buckets.waitMs(key)));
    if (waitMs > 0) return waitMs;
    for (const { buckets, key } of counted) buckets.take(key);
    return 0;
  }

  /** The password was right, or was not looked at: this attempt does not count. Earlier ones do. */
  takeBack(attempt: Attempt): void {
    for (const { buckets, key } of this.#countedBy(attempt)) buckets.giveBack(key);
  }

  #countedBy({ browser, name, network }: Attempt): readonly Counted[] {
    if (browser !== undefined) return [{ buckets: this.#pairs, key: keyOf('browser', browser) }];
    return [
      { buckets: this.#pairs, key: keyOf(network, name) },
      { buckets: this.#names, key: keyOf(name) },
      { buckets: this.#networks, key: network },
    ];
  }
}

/** All of one length, whatever was typed. */
function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
