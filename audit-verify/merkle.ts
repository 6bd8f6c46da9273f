import { createHash } from 'node:crypto';

/** Bytes of SHA-256. */
export const HASH_BYTES = 32;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of an entry (RFC 9162, section 2.1.1). */
export function leafHash(entry: Uint8Array): Buffer {
  return createHash('sha256').update(LEAF).update(entry).digest();
}

/** The hash of two neighbours (RFC 9162, section 2.1.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

/** The root of a tree without entries (RFC 9162, section 2.1.1). */
export function emptyRoot(): Buffer {
  return createHash('sha256').digest();
}

const half = (n: number): number => Math.floor(n / 2);
const isOdd = (n: number): boolean => n % 2 === 1;

/**
 * Whether a leaf is at this place of a tree (RFC 9162, section 2.1.3.2).
 *
 * @param index from 0
 * @param size the number of leaves of the tree
 * @param proof from the leaf's sibling up to a child of the root
 */
export function isIncluded(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  let place = index;
  let last = size - 1;
  let hash = leaf;
  for (const other of proof) {
    if (last === 0) return false;
    if (isOdd(place) || place === last) {
      hash = nodeHash(other, hash);
      while (!isOdd(place) && place !== 0) {
        place = half(place);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, other);
    }
    place = half(place);
    last = half(last);
  }
  return last === 0 && equal(hash, root);
}

/**
 * Whether the larger tree begins with the smaller one: nothing was removed, changed or inserted (RFC 9162, section 2.1.4.2). Any
 * tree begins with the empty one, which needs no proof.
 */
export function isConsistent(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize) return false;
  if (oldSize === 0) return proof.length === 0 && equal(oldRoot, emptyRoot());
  if (oldSize === newSize) return proof.length === 0 && equal(oldRoot, newRoot);
  let place = oldSize - 1;
  let last = newSize - 1;
  while (isOdd(place)) {
    place = half(place);
    last = half(last);
  }
  // A whole subtree is not in the proof: the old root is its hash.
  const [first, ...rest] = place === 0 ? [oldRoot, ...proof] : proof;
  if (first === undefined) return false;
  let oldHash = first;
  let newHash = first;
  for (const other of rest) {
    if (last === 0) return false;
    if (isOdd(place) || place === last) {
      oldHash = nodeHash(other, oldHash);
      newHash = nodeHash(other, newHash);
      while (!isOdd(place) && place !== 0) {
        place = half(place);
        last = half(last);
      }
    } else {
      newHash = nodeHash(newHash, other);
    }
    place = half(place);
    last = half(last);
  }
  return last === 0 && equal(oldHash, oldRoot) && equal(newHash, newRoot);
}

/** Sizes beyond 2^53 - 1 are refused: JavaScript's numbers no longer tell neighbours apart. */
function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
