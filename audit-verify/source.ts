import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TILE_WIDTH, tilePath } from './tiles.js';
import type { TilePlace } from './tiles.js';

/** A file that is not there, a folder in its place, or a file in place of its folder. */
const NO_FILE: ReadonlySet<unknown> = new Set(['ENOENT', 'EISDIR', 'ENOTDIR']);

/** A log, wherever it is stored. What is missing is undefined. Nothing of it is trusted. */
export interface LogSource {
  /** The newest checkpoint. */
  checkpoint(): Promise<string | undefined>;
  /** Earlier checkpoints, if it keeps any: the log must begin with each. */
  earlierCheckpoints?(): Promise<readonly string[]>;
  /** Hashes of a tile, one after the other. */
  tile(level: number, place: TilePlace): Promise<Buffer | undefined>;
  /** Entries of a bundle, each after its length. */
  entries(place: TilePlace): Promise<Buffer | undefined>;
  /** The texts of the records of a bundle. Null for one that is gone. */
  records(place: TilePlace): Promise<readonly (string | null)[] | undefined>;
}

/**
 * A log that was exported to a folder: `checkpoint`, `tile/…` as in C2SP tlog-tiles, and `records/…` with one record on each line,
 * or `null` for one that is gone.
 *
 * @example
 * ```ts
 * import { FolderSource, parsePolicy, verifyLog } from '@behalf/audit-verify';
 *
 * const policy = parsePolicy('quorum none');
 * const { findings } = await verifyLog(new FolderSource('export'), policy);
 * for (const { code, message } of findings) console.error(code, message);
 * ```
 */
export class FolderSource implements LogSource {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async checkpoint(): Promise<string | undefined> {
    return (await this.#read('checkpoint'))?.toString('utf8');
  }

  tile(level: number, place: TilePlace): Promise<Buffer | undefined> {
    return this.#readTile(`tile/${level}`, place);
  }

  entries(place: TilePlace): Promise<Buffer | undefined> {
    return this.#readTile('tile/entries', place);
  }

  async records(place: TilePlace): Promise<readonly (string | null)[] | undefined> {
    const bytes = await this.#readTile('records', place);
    const lines = bytes?.toString('utf8').split('\n');
    if (lines?.at(-1) === '') lines.pop();
    const isOfMore = lines?.length === TILE_WIDTH;
    return lines?.slice(0, isOfMore ? place.width : undefined).map((line) => (line === 'null' ? null : line));
  }

  /** A part may be gone when the whole is there (tlog-tiles, "Partial Tiles"); its beginning is the same. */
  async #readTile(folder: string, { index, width }: TilePlace): Promise<Buffer | undefined> {
    return (
      (await this.#read(join(folder, tilePath(index, width)))) ??
      (await this.#read(join(folder, tilePath(index, TILE_WIDTH))))
    );
  }

  async #read(path: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#folder, path));
    } catch (error) {
      if (error instanceof Error && 'code' in error && NO_FILE.has(error.code)) return undefined;
      throw error;
    }
  }
}
