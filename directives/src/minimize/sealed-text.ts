import { gcmsiv } from '@noble/ciphers/aes.js';

/** AES-GCM-SIV (RFC 8452) stays safe when a nonce is used again: then only equal texts look equal, which a pseudonym has to. */
const NONCE = new Uint8Array(12);
const LENGTH_BYTES = 4;
/** Texts of similar length have pseudonyms of one length. */
const PADDED_TO = 32;
const BASE64URL = /^[\w-]+$/;

/**
 * A text as a pseudonym that can be read again with its key.
 *
 * @param key 32 bytes, for one client, field and purpose
 */
export function sealText(key: Uint8Array, text: string): string {
  const bytes = Buffer.from(text);
  const length = Math.ceil((LENGTH_BYTES + bytes.length) / PADDED_TO) * PADDED_TO;
  const padded = Buffer.alloc(length);
  padded.writeUInt32BE(bytes.length);
  padded.set(bytes, LENGTH_BYTES);
  return Buffer.from(gcmsiv(key, NONCE).encrypt(padded)).toString('base64url');
}

/** @returns undefined for a text that this key did not seal */
export function openText(key: Uint8Array, sealed: string): string | undefined {
  if (!BASE64URL.test(sealed)) return undefined;
  try {
    const padded = Buffer.from(gcmsiv(key, NONCE).decrypt(Buffer.from(sealed, 'base64url')));
    return padded.subarray(LENGTH_BYTES, LENGTH_BYTES + padded.readUInt32BE()).toString();
  } catch {
    // Another key's, or changed. The reason would tell nothing more.
    return undefined;
  }
}
