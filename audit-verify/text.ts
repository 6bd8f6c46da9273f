import { VerificationError } from './errors.js';
import { HASH_BYTES } from './merkle.js';

/** Decimal digits without leading zeroes. Not beyond 2^53 - 1. */
export function parseSize(text: string, what: string): number {
  const size = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(size)) {
    throw new VerificationError('MALFORMED', `${what} is not a number without leading zeroes`);
  }
  return size;
}

/** Base64 (RFC 4648, section 4), with padding, as an encoder would write it. */
export function parseBase64(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (text === '' || bytes.toString('base64') !== text) {
    throw new VerificationError('MALFORMED', `${what} is not base64`);
  }
  return bytes;
}

export function parseHash(text: string, what: string): Buffer {
  const bytes = parseBase64(text, what);
  if (bytes.length !== HASH_BYTES) {
    throw new VerificationError('MALFORMED', `${what} has ${bytes.length} bytes instead of ${HASH_BYTES}`);
  }
  return bytes;
}
