import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** A client's secret: 256 random bits, so that even a fast digest cannot be reversed (unlike a password's). */
export function newClientSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** The stored digest of a client's secret. */
export function secretDigest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
