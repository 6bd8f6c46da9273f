import { deflateSync } from 'node:zlib';

/** One bit per token: 0 valid, 1 invalid (draft-ietf-oauth-status-list-21, section 7.1). */
const BITS = 1;

/** A member `status_list` of a status list token. */
export interface StatusList {
  readonly bits: typeof BITS;
  /** Base64url of the compressed bytes. */
  readonly lst: string;
}

/**
 * Writes a list of one-bit statuses (draft-ietf-oauth-status-list-21, sections 4.1 and 4.2): the first token's bit is the least
 * significant one of the first byte; DEFLATE in the ZLIB format (RFC 1950), at the highest compression level.
 *
 * @param size the number of places in the list; a multiple of 8
 * @param invalid the indexes of set bits, below `size`
 * @throws RangeError
 */
export function encodeStatusList(size: number, invalid: Iterable<number>): StatusList {
  if (!Number.isInteger(size) || size < 8 || size % 8 !== 0) throw new RangeError('a list has whole bytes');
  const bytes = new Uint8Array(size / 8);
  for (const index of invalid) {
    if (!Number.isInteger(index) || index < 0 || index >= size)
      throw new RangeError('not a place of the list');
    const byte = index >>> 3;
    bytes[byte] = (bytes[byte] ?? 0) | (1 << (index & 7));
  }
  return { bits: BITS, lst: deflateSync(bytes, { level: 9 }).toString('base64url') };
}
