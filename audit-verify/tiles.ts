import { VerificationError } from './errors.js';

/** Hashes of a whole tile, and entries of a whole bundle (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;

/** Where a tile, a bundle or records are: `x001/x234/067`, and `.p/112` behind it if it is a part. */
export function tilePath(index: number, width: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/.{3}/g) ?? [];
  const path = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** A tile of some level, and how many of its places are taken. */
export interface TilePlace {
  readonly index: number;
  readonly width: number;
}

/** The tiles of the lowest level of a tree, or of any level of a tree with so many hashes there. */
export function* tilesOf(size: number): Iterable<TilePlace> {
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    yield { index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) };
  }
}

/** The entries of a bundle: each after its length, 2 bytes, the higher first. @throws {VerificationError} `MALFORMED` */
export function parseBundle(bytes: Buffer): readonly Buffer[] {
  const entries: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = at + 2 <= bytes.length ? bytes.readUInt16BE(at) : Infinity;
    const end = at + 2 + length;
    if (end > bytes.length) throw new VerificationError('MALFORMED', 'the bundle ends within an entry');
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return entries;
}
