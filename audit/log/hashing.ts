import { createHash } from 'node:crypto';

/** Bytes of SHA-256. */
export const HASH_BYTES = 32;
/** Hashes of a whole tile (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** RFC 9162, section 2.1.1. */
export function hashLeaf(entry: Uint8Array): Buffer {
  return createHash('sha256').update(LEAF_PREFIX).update(entry).digest();
}

/** RFC 9162, section 2.1.1. */
export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE_PREFIX).update(left).update(right).digest();
}

export function hashNothing(): Buffer {
  return createHash('sha256').digest();
}

/**
 * The hash of a list of whole subtrees of one height, from left to right: each pair is hashed, and what is left over at the right
 * moves up unchanged (RFC 9162, section 2.1.1).
 */
export function hashList(hashes: readonly Buffer[]): Buffer {
  let row = hashes;
  while (row.length > 1) {
    const above: Buffer[] = [];
    for (let at = 0; at < row.length; at += 2) {
      const left = row[at];
      const right = row[at + 1];
      if (left !== undefined) above.push(right === undefined ? left : hashNode(left, right));
    }
    row = above;
  }
  return row[0] ?? hashNothing();
}

/** The hashes of a stored tile. */
export function splitHashes(bytes: Uint8Array): Buffer[] {
  const buffer = Buffer.from(bytes);
  return Array.from({ length: Math.floor(buffer.length / HASH_BYTES) }, (_, at) =>
    buffer.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}
