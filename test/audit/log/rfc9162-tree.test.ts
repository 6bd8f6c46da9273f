import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRoot, isConsistent, isIncluded, leafHash } from '@behalf/audit-verify/internal';
import { Frontier } from '../../../audit-verify/frontier.js';
import { hashLeaf } from '../../../audit/log/hashing.js';
import { ProofMaker } from '../../../audit/log/proofs.js';
import { edgeWidth, levelsOf, TileTree } from '../../../audit/log/tile-tree.js';

/** A tree's stored tiles, and its root at each size as the verifier has it. */
class Grown {
  readonly #tiles = new Map<string, Buffer>();
  readonly roots: readonly Buffer[];
  readonly leaves: readonly Buffer[];

  constructor(entries: readonly Uint8Array[]) {
    this.leaves = entries.map((entry) => hashLeaf(entry));
    const tree = new TileTree();
    for (let at = 0; at < this.leaves.length; at += 1_000) {
      for (const { level, index, hashes } of tree.append(this.leaves.slice(at, at + 1_000)))
        this.#tiles.set(`${level}/${index}`, Buffer.concat(hashes));
    }
    const frontier = new Frontier();
    this.roots = [
      frontier.root(),
      ...this.leaves.map((leaf) => {
        frontier.append(leaf);
        return frontier.root();
      }),
    ];
  }

  tile(level: number, index: number): Buffer | undefined {
    return this.#tiles.get(`${level}/${index}`);
  }

  get proofs(): ProofMaker {
    return new ProofMaker(async (level, index) => this.tile(level, index));
  }
}

/** The entries and roots of Certificate Transparency's reference implementation. */
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const MANY = new Grown(Array.from({ length: 66_000 }, (_, at) => Buffer.from(String(at))));

const hex = (hashes: readonly Buffer[]): string[] => hashes.map((hash) => hash.toString('hex'));

describe('RFC 9162, section 2.1.1: hashes', () => {
  it('has the roots of the published trees', () => {
    const tree = new TileTree();
    const roots = [tree.root()];
    for (const entry of ENTRIES) {
      tree.append([hashLeaf(entry)]);
      roots.push(tree.root());
    }
    expect(hex(roots)).toEqual(ROOTS);
    expect(hex(new Grown(ENTRIES).roots)).toEqual(ROOTS);
  });

  it('is hashed alike by what writes and what verifies', () => {
    expect(leafHash(Buffer.from('entry'))).toEqual(hashLeaf(Buffer.from('entry')));
    expect(emptyRoot()).toEqual(new TileTree().root());
  });

  it('makes the root of any size from stored tiles', async () => {
    for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_999, 66_000])
      expect(await MANY.proofs.root(size), String(size)).toEqual(MANY.roots[size]);
  });
});

describe('C2SP tlog-tiles: a tree of any size', () => {
  it('continues from the tiles that are not whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_990 }), (size) => {
        const edge = Array.from({ length: levelsOf(size) }, (_, level) => {
          const width = edgeWidth(size, level);
          const bytes = MANY.tile(level, Math.floor(size / 256 ** (level + 1)))?.subarray(0, width * 32);
          return Array.from({ length: width }, (_unused, at) =>
            (bytes ?? Buffer.of()).subarray(at * 32, at * 32 + 32),
          );
        });
        const tree = new TileTree(size, edge);
        expect(tree.root()).toEqual(MANY.roots[size]);
        tree.append(MANY.leaves.slice(size, size + 10));
        expect(tree.root()).toEqual(MANY.roots[size + 10]);
      }),
      { numRuns: 60 },
    );
  });
});

const SIZES = fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 66_000 }));

describe('RFC 9162, section 2.1.3: inclusion proofs', () => {
  it('prove every leaf of small trees', async () => {
    const small = new Grown(ENTRIES);
    for (let size = 1; size <= ENTRIES.length; size++) {
      for (let index = 0; index < size; index++) {
        const proof = await small.proofs.inclusion(index, size);
        const leaf = small.leaves[index] ?? Buffer.of();
        expect(isIncluded(leaf, index, size, proof, small.roots[size] ?? Buffer.of())).toBe(true);
      }
    }
  });

  it('prove a leaf, and not another place, size, leaf, root or proof', async () => {
    await fc.assert(
      fc.asyncProperty(SIZES, fc.nat(), fc.nat(), async (size, place, other) => {
        const index = place % size;
        const leaf = MANY.leaves[index] ?? Buffer.of();
        const root = MANY.roots[size] ?? Buffer.of();
        const proof = await MANY.proofs.inclusion(index, size);
        expect(isIncluded(leaf, index, size, proof, root)).toBe(true);
        const wrongIndex = other % size;
        if (wrongIndex !== index) expect(isIncluded(leaf, wrongIndex, size, proof, root)).toBe(false);
        const wrongLeaf = MANY.leaves[(index + 1) % MANY.leaves.length] ?? Buffer.of();
        expect(isIncluded(wrongLeaf, index, size, proof, root)).toBe(false);
        expect(isIncluded(leaf, index, size, proof, MANY.roots[size - 1] ?? Buffer.of())).toBe(false);
        expect(isIncluded(leaf, index, size, [...proof, root], root)).toBe(false);
        if (proof.length > 0) expect(isIncluded(leaf, index, size, proof.slice(1), root)).toBe(false);
        const flipped = proof.map((hash, at) => (at === other % proof.length ? hashLeaf(hash) : hash));
        if (proof.length > 0) expect(isIncluded(leaf, index, size, flipped, root)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [0, 0],
    [1, 1],
    [-1, 1],
    [0.5, 1],
    [2 ** 53, 2 ** 53 + 2],
    [NaN, 1],
  ])('do not exist for entry %d of %d', async (index, size) => {
    const root = MANY.roots[1] ?? Buffer.of();
    expect(isIncluded(root, index, size, [], root)).toBe(false);
  });
});

describe('RFC 9162, section 2.1.4: consistency proofs', () => {
  it('show that a tree begins with a smaller one, and not another root or proof', async () => {
    await fc.assert(
      fc.asyncProperty(SIZES, SIZES, fc.nat(), async (a, b, other) => {
        const [oldSize, size] = a < b ? [a, b] : [b, a];
        const oldRoot = MANY.roots[oldSize] ?? Buffer.of();
        const root = MANY.roots[size] ?? Buffer.of();
        const proof = await MANY.proofs.consistency(oldSize, size);
        expect(isConsistent(oldSize, oldRoot, size, root, proof)).toBe(true);
        expect(isConsistent(oldSize, hashLeaf(oldRoot), size, root, proof)).toBe(false);
        expect(isConsistent(oldSize, oldRoot, size, hashLeaf(root), proof)).toBe(false);
        expect(isConsistent(oldSize, oldRoot, size, root, [...proof, root])).toBe(false);
        if (proof.length === 0) return;
        expect(isConsistent(oldSize, oldRoot, size, root, proof.slice(1))).toBe(false);
        const flipped = proof.map((hash, at) => (at === other % proof.length ? hashLeaf(hash) : hash));
        expect(isConsistent(oldSize, oldRoot, size, root, flipped)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('are empty between a tree and the empty one, or itself', async () => {
    const root = MANY.roots[7] ?? Buffer.of();
    expect(await MANY.proofs.consistency(0, 7)).toEqual([]);
    expect(await MANY.proofs.consistency(7, 7)).toEqual([]);
    expect(isConsistent(0, emptyRoot(), 7, root, [])).toBe(true);
    expect(isConsistent(0, root, 7, root, [])).toBe(false);
    expect(isConsistent(0, emptyRoot(), 7, root, [root])).toBe(false);
    expect(isConsistent(7, root, 7, root, [])).toBe(true);
    expect(isConsistent(7, root, 7, MANY.roots[6] ?? root, [])).toBe(false);
  });

  it('never lead back to a smaller tree', async () => {
    await expect(MANY.proofs.consistency(8, 7)).rejects.toThrow(RangeError);
    expect(isConsistent(8, MANY.roots[8] ?? Buffer.of(), 7, MANY.roots[7] ?? Buffer.of(), [])).toBe(false);
  });
});
