import { createHmac } from 'node:crypto';

/** GraphQL names (section 2.1.9 of the specification), no longer than a person would choose. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** `GetAccounts2` is a name; `iban_SE45…`, a date, a telephone number and most keys have more digits. */
const MAX_DIGITS = 3;
/** Longest name from an issuer, a policy or a configuration; the longest client identifiers are URLs. */
const MAX_IDENTIFIER_LENGTH = 256;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Whether an operation name is recorded unchanged: if it is short and has hardly any digits, because the client could put a
 * value there. No pattern distinguishes a name from personal data in words; see decision 0032.
 */
export function isPlainOperationName(name: string): boolean {
  return PLAIN_NAME.test(name) && (name.match(/\d/g)?.length ?? 0) <= MAX_DIGITS;
}

/** The recorded form of a name: itself, or a keyed hash that keeps equal names equal. */
export function recordedOperationName(name: string, key: Uint8Array): string {
  return isPlainOperationName(name) ? name : recordedHash(name, key);
}

/** An identifier from a verified token or the configuration: bounded, and safe on a terminal. */
export function recordedIdentifier(identifier: string, key: Uint8Array): string {
  const isBounded = identifier.length <= MAX_IDENTIFIER_LENGTH && !UNPRINTABLE.test(identifier);
  return isBounded ? identifier : recordedHash(identifier, key);
}

/** The keyed hash of a text that is not recorded unchanged. */
export function recordedHash(text: string, key: Uint8Array): string {
  return `hmac-sha256:${hmac(text, key).toString('hex')}`;
}

/** Keyed, because a plain hash of a personal number, or of a document containing one, can be found by brute force. */
export function hmac(text: string, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
