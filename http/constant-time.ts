import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Compares two secrets in a time that depends on neither content nor length, by comparing their digests.
 *
 * @example
 * ```ts
 * import { equalSecrets } from '@behalf/http';
 *
 * equalSecrets('presented', 'expected'); // false
 * ```
 */
export function equalSecrets(one: string, other: string): boolean {
  return timingSafeEqual(digestOf(one), digestOf(other));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
