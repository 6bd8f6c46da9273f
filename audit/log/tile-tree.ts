import { hashList, hashNode, hashNothing, TILE_WIDTH } from './hashing.js';

/** A tile that an append changed, with all the hashes that it has now. */
export interface ChangedTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: readonly Buffer[];
}

/**
 * The right edge of a growing tree: of each level, the tile that is not whole yet. It is all that appending and the root need.
 *
 * Level 0 has the leaves; each hash of a level above is the hash of a whole tile below (C2SP tlog-tiles).
 */
export class TileTree {
  readonly #edge: Buffer[][];
  #size: number;

  /** @param edge the tiles that are not whole, from level 0 up. It is copied. */
  constructor(size = 0, edge: readonly (readonly Buffer[])[] = []) {
    this.#size = size;
    this.#edge = edge.map((tile) => [...tile]);
  }

  get size(): number {
    return this.#size;
  }

  /** Appends leaves. @returns the tiles that changed: what to store */
  append(leaves: readonly Buffer[]): ChangedTile[] {
    const changed = new Map<string, ChangedTile>();
    for (const leaf of leaves) {
      this.#size += 1;
      this.#push(0, leaf, changed);
    }
    return [...changed.values()];
  }

  #push(level: number, hash: Buffer, changed: Map<string, ChangedTile>): void {
    const tile = (this.#edge[level] ??= []);
    tile.push(hash);
    const index = Math.floor((this.#size - 1) / TILE_WIDTH ** (level + 1));
    changed.set(`${level}/${index}`, { level, index, hashes: tile });
    if (tile.length < TILE_WIDTH) return;
    this.#edge[level] = [];
    this.#push(level + 1, hashList(tile), changed);
  }

  /** The root of the tree as it is now (RFC 9162, section 2.1.1). */
  root(): Buffer {
    let root: Buffer | undefined;
    for (const tile of this.#edge) {
      for (const subtree of wholeSubtrees(tile).reverse()) {
        root = root === undefined ? subtree : hashNode(subtree, root);
      }
    }
    return root ?? hashNothing();
  }
}

/** How many hashes the tile of a level has that is not whole, in a tree of this size. */
export function edgeWidth(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
}

/** Levels on which a tree of this size has hashes. */
export function levelsOf(size: number): number {
  let levels = 0;
  while (Math.floor(size / TILE_WIDTH ** levels) > 0) levels += 1;
  return levels;
}

/** The hashes of the largest whole subtrees of a tile, from left to right: one for each bit of its width. */
function wholeSubtrees(tile: readonly Buffer[]): Buffer[] {
  const subtrees: Buffer[] = [];
  let from = 0;
  for (let width = TILE_WIDTH / 2; width >= 1; width /= 2) {
    if (tile.length - from < width) continue;
    subtrees.push(hashList(tile.slice(from, from + width)));
    from += width;
  }
  return subtrees;
}
