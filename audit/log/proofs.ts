import { hashList, hashNode, splitHashes, TILE_WIDTH } from './hashing.js';

/** A tile's hashes, all that there are; undefined if there is none. */
export type ReadTile = (level: number, index: number) => Promise<Uint8Array | undefined>;

/** Tiles are this many levels of the tree high. */
const TILE_HEIGHT = 8;

/** Makes proofs from stored tiles. It reads each tile once: a few for a proof. */
export class ProofMaker {
  readonly #readTile: ReadTile;
  readonly #tiles = new Map<string, Promise<readonly Buffer[]>>();

  constructor(readTile: ReadTile) {
    this.#readTile = readTile;
  }

  /**
   * The hashes that lead from a leaf to the root, the leaf's sibling first (RFC 9162, section 2.1.3.1).
   *
   * @throws {RangeError} if the tree of this size has no such leaf, or a tile is missing
   */
  async inclusion(index: number, size: number): Promise<Buffer[]> {
    if (index < 0 || index >= size) throw new RangeError(`no entry ${index} in a log of ${size}`);
    const proof: Buffer[] = [];
    let [from, to] = [0, size];
    while (to - from > 1) {
      const middle = from + largestPowerBelow(to - from);
      if (index < middle) {
        proof.push(await this.#rangeHash(middle, to));
        to = middle;
      } else {
        proof.push(await this.#rangeHash(from, middle));
        from = middle;
      }
    }
    return proof.reverse();
  }

  /**
   * The hashes that show that a tree begins with a smaller one (RFC 9162, section 2.1.4.1). None for an empty one, or the same.
   *
   * @throws {RangeError} if the older size is larger, or a tile is missing
   */
  async consistency(oldSize: number, size: number): Promise<Buffer[]> {
    if (oldSize < 0 || oldSize > size) throw new RangeError(`a log of ${size} cannot begin with ${oldSize}`);
    if (oldSize === 0 || oldSize === size) return [];
    const proof: Buffer[] = [];
    let [from, to] = [0, size];
    // Whether the old tree is this whole range. Its hash is then known to whoever verifies, if nothing of the range was cut away.
    while (to !== oldSize) {
      const middle = from + largestPowerBelow(to - from);
      if (oldSize <= middle) {
        proof.push(await this.#rangeHash(middle, to));
        to = middle;
      } else {
        proof.push(await this.#rangeHash(from, middle));
        from = middle;
      }
    }
    if (from !== 0) proof.push(await this.#rangeHash(from, to));
    return proof.reverse();
  }

  /** The root of the tree as it was with this size. */
  root(size: number): Promise<Buffer> {
    return this.#rangeHash(0, size);
  }

  /** The hash of neighbouring leaves, of which the first begins a subtree. */
  async #rangeHash(from: number, to: number): Promise<Buffer> {
    if (to === from) return hashList([]);
    const width = largestPowerWithin(to - from);
    const left = await this.#subtreeHash(from, width);
    return from + width === to ? left : hashNode(left, await this.#rangeHash(from + width, to));
  }

  /** The hash of a whole subtree: its width is a power of two, and it begins at a multiple of it. */
  async #subtreeHash(from: number, width: number): Promise<Buffer> {
    const level = Math.floor(Math.log2(width) / TILE_HEIGHT);
    const span = TILE_WIDTH ** level;
    const first = from / span;
    const tile = await this.#tile(level, Math.floor(first / TILE_WIDTH));
    const at = first % TILE_WIDTH;
    const hashes = tile.slice(at, at + width / span);
    if (hashes.length < width / span) throw new RangeError(`hashes of entry ${from} are missing`);
    return hashList(hashes);
  }

  #tile(level: number, index: number): Promise<readonly Buffer[]> {
    const key = `${level}/${index}`;
    const known =
      this.#tiles.get(key) ?? this.#readTile(level, index).then((bytes) => splitHashes(bytes ?? Buffer.of()));
    this.#tiles.set(key, known);
    return known;
  }
}

/** The largest power of two that is smaller. */
function largestPowerBelow(n: number): number {
  return largestPowerWithin(n - 1);
}

/** The largest power of two that is not larger. */
function largestPowerWithin(n: number): number {
  let power = 1;
  while (power * 2 <= n) power *= 2;
  return power;
}
