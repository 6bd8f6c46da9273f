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

/** The end of the year 9999, in milliseconds. No log has a later time, and most programs cannot print one. */
const LAST_MS = 253_402_300_799_999;

/** Whether it is a whole number of milliseconds since the epoch that has a date. */
export function isTime(ms: unknown): ms is number {
  return Number.isSafeInteger(ms) && (ms as number) >= 0 && (ms as number) <= LAST_MS;
}

/** A time as whole units since the epoch. @param unitMs milliseconds of a unit */
export function parseTime(text: string, unitMs: number, what: string): number {
  const units = parseSize(text, what);
  if (!isTime(units * unitMs)) {
    throw new VerificationError('MALFORMED', `${what} is after the year 9999`);
  }
  return units;
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
