import { mkdir, rename, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TILE_WIDTH } from './hashing.js';
import { levelsOf } from './tile-tree.js';
import type { DatabaseSource } from './database-source.js';

/**
 * Writes a log to a folder: the checkpoint and tiles as C2SP tlog-tiles names them, so that any web server can serve them and any
 * reader of such logs can read them, and the records beside them (`records/…`, one on each line, `null` for one that is gone).
 *
 * Whole tiles never change, so they are written once; a second export to the same folder adds what is new. The checkpoint is
 * written last, so a reader never finds one whose tiles are missing.
 *
 * @param checkpoint the one to export; its size says how much of the log is written
 * @returns the number of files that were written
 */
export async function exportLog(
  source: DatabaseSource,
  checkpoint: { readonly size: number; readonly note: string },
  folder: string,
): Promise<number> {
  const { size } = checkpoint;
  let written = 0;
  const write = async (path: string, read: () => Promise<Buffer | string>): Promise<void> => {
    const file = join(folder, path);
    if (existsSync(file)) return;
    await mkdir(dirname(file), { recursive: true });
    await replace(file, await read());
    written += 1;
  };
  for (let level = 0; level < levelsOf(size); level++) {
    const count = Math.floor(size / TILE_WIDTH ** level);
    for (let index = 0; index * TILE_WIDTH < count; index++) {
      const place = { index, width: Math.min(TILE_WIDTH, count - index * TILE_WIDTH) };
      const path = tilePath(place);
      await write(`tile/${level}/${path}`, async () => (await source.tile(level, place)) ?? Buffer.of());
      if (level > 0) continue;
      await write(`tile/entries/${path}`, () => source.entries(place));
      await write(`records/${path}`, async () =>
        (await source.records(place)).map((text) => `${text ?? 'null'}\n`).join(''),
      );
    }
  }
  await replace(join(folder, 'checkpoint'), checkpoint.note);
  return written + 1;
}

/** `x001/x234/067`, and `.p/112` behind it if the tile is not whole. */
function tilePath({ index, width }: { readonly index: number; readonly width: number }): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

async function replace(file: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}
