import { LRUCache } from 'lru-cache';

const WRONG_AT_MOST = 5;
const WINDOW_MS = 60_000;
const REMEMBERED_AT_MOST = 10_000;

/**
 * Slows down the guessing of passwords: five wrong ones within a minute, for one name from one address, and the next
 * are not even looked at until the minute is over. By both, so that nobody can lock somebody else out from afar.
 * In memory and of bounded size; each instance counts for itself.
 */
export class SignInThrottle {
  readonly #wrong = new LRUCache<string, number>({ max: REMEMBERED_AT_MOST, ttl: WINDOW_MS });

  /** False: too many wrong passwords. Counts an attempt before it is known to be wrong, so that parallel ones count. */
  admit(username: string, address: string): boolean {
    const key = keyOf(username, address);
    const before = this.#wrong.get(key) ?? 0;
    if (before >= WRONG_AT_MOST) return false;
    // The window begins with the first attempt: later ones do not prolong it.
    const remainingMs = before === 0 ? WINDOW_MS : Math.max(1, this.#wrong.getRemainingTTL(key));
    this.#wrong.set(key, before + 1, { ttl: remainingMs });
    return true;
  }

  /** The password was right. */
  forget(username: string, address: string): void {
    this.#wrong.delete(keyOf(username, address));
  }
}

function keyOf(username: string, address: string): string {
  return `${address} ${username.toLowerCase().slice(0, 100)}`;
}
