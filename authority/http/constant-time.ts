import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares two secrets in a time that depends on neither's content or length. */
export function equalSecrets(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
