import { emptyRoot, nodeHash } from './merkle.js';

/** The hashes of the largest whole subtrees of a growing tree, from left to right: what its root is made of. */
export class Frontier {
  /** By height; undefined where the size has no such bit. */
  readonly #subtrees: (Buffer | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  append(leaf: Buffer): void {
    let hash = leaf;
    let height = 0;
    for (;;) {
      const left = this.#subtrees[height];
      if (left === undefined) break;
      hash = nodeHash(left, hash);
      this.#subtrees[height] = undefined;
      height += 1;
    }
    this.#subtrees[height] = hash;
    this.#size += 1;
  }

  /** The root of the tree as it is now (RFC 9162, section 2.1.1). */
  root(): Buffer {
    let root: Buffer | undefined;
    for (const subtree of this.#subtrees) {
      if (subtree === undefined) continue;
      root = root === undefined ? subtree : nodeHash(subtree, root);
    }
    return root ?? emptyRoot();
  }
}
