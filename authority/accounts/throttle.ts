import { createHash } from 'node:crypto';

import type { Clock } from '@behalf/directives';
import { type BucketRate, TokenBuckets } from '../http/token-buckets.js';

/**
 * How many wrong passwords are checked. NIST SP 800-63B section 5.2.2 limits them per account; they are also limited per network,
 * or one client could try one password with every name.
 */
export const SIGN_IN_RATES = {
  /** For one name from one network, or from one known browser. */
  pair: { burst: 5, everyMs: 12_000 },
  /** For one name, from anywhere. */
  name: { burst: 10, everyMs: 60_000 },
  /** From one network, for any name. */
  network: { burst: 30, everyMs: 6_000 },
} as const satisfies Record<string, BucketRate>;

/** An attempt to sign in. */
export interface Attempt {
  /** Normalized. */
  readonly name: string;
  /** @see networkOf */
  readonly network: string;
  /** The browser, if this person has signed in with it before. @see KnownBrowsers */
  readonly browser: string | undefined;
}

interface Counted {
  readonly buckets: TokenBuckets;
  readonly key: string;
}

/**
 * Slows down password guessing: per name and network, per name, and per network. Attempts beyond the limit are not even checked.
 * A known browser is counted on its own, whatever others do. Counters are in memory and bounded; each instance has its own
 * (docs/decisions/0034).
 */
export class SignInThrottle {
  readonly #pairs: TokenBuckets;
  readonly #names: TokenBuckets;
  readonly #networks: TokenBuckets;

  /** @param clock default: the machine's */
  constructor(clock?: Pick<Clock, 'monotonic'>) {
    this.#pairs = new TokenBuckets(SIGN_IN_RATES.pair, clock);
    this.#names = new TokenBuckets(SIGN_IN_RATES.name, clock);
    this.#networks = new TokenBuckets(SIGN_IN_RATES.network, clock);
  }

  /**
   * Counts an attempt before it is known to be wrong, so that parallel attempts count too.
   *
   * @returns milliseconds to wait; 0 if the attempt is admitted and counted
   */
  admit(attempt: Attempt): number {
    const counted = this.#countedBy(attempt);
    const waitMs = Math.max(...counted.map(({ buckets, key }) => buckets.waitMs(key)));
    if (waitMs > 0) return waitMs;
    for (const { buckets, key } of counted) buckets.take(key);
    return 0;
  }

  /** The password was right, or was not checked, so this attempt does not count. Earlier ones still do. */
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

/** A fixed length, whatever was typed. */
function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
