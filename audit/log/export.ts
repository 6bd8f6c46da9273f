import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LogError } from './errors.js';
import { TILE_WIDTH } from './hashing.js';
import { ProofMaker } from './proofs.js';
import type { ReadTile } from './proofs.js';
import { levelsOf } from './tile-tree.js';
import type { DatabaseSource } from './database-source.js';

/**
 * Writes a log to a folder: the checkpoint and tiles as C2SP tlog-tiles names them, so that any web server can serve them and any
 * reader of such logs can read them, and the records beside them (`records/…`, one on each line, `null` for one that is gone).
 *
 * Tiles never change, so they are written once; a second export to the same folder compares them and adds what is new. The
 * checkpoint is written last, so a reader never finds one whose tiles are missing. It replaces only one of a log that this one
 * continues: a checkpoint that was exported may be the only proof that there were more entries, or others.
 *
 * @param checkpoint the one to export; its size says how much of the log is written
 * @returns the number of files that were written
 * @throws {LogError} `LOG_EXPORT_DIFFERS`; the file system's error
 */
export async function exportLog(
  source: DatabaseSource,
  checkpoint: { readonly size: number; readonly note: string },
  folder: string,
): Promise<number> {
  const { size } = checkpoint;
  const earlier = await readEarlier(folder);
  if (earlier !== undefined) await refuseOther(earlier, checkpoint, source, folder);
  let written = 0;
  const write = async (path: string, content: Buffer | string): Promise<void> => {
    await replace(join(folder, path), content);
    written += 1;
  };
  const writeOrCompare = async (path: string, content: Buffer): Promise<void> => {
    const stored = await readIfThere(join(folder, path));
    if (stored === undefined) await write(path, content);
    else if (!stored.equals(content)) throw differs(`${join(folder, path)} is not of this log`);
  };
  for (let level = 0; level < levelsOf(size); level++) {
    const count = Math.floor(size / TILE_WIDTH ** level);
    for (let index = 0; index * TILE_WIDTH < count; index++) {
      const place = { index, width: Math.min(TILE_WIDTH, count - index * TILE_WIDTH) };
      const path = tilePath(place);
      await writeOrCompare(`tile/${level}/${path}`, (await source.tile(level, place)) ?? Buffer.of());
      if (level > 0) continue;
      await writeOrCompare(`tile/entries/${path}`, await source.entries(place));
      // Not compared: texts may have been erased since.
      if (existsSync(join(folder, `records/${path}`))) continue;
      const texts = await source.records(place);
      await write(`records/${path}`, texts.map((text) => `${text ?? 'null'}\n`).join(''));
    }
  }
  await replace(join(folder, 'checkpoint'), withSignaturesOf(earlier?.note, checkpoint.note));
  return written + 1;
}

interface Earlier {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
}

const CHECKPOINT = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n/;

/** The checkpoint in the folder. @throws {LogError} `LOG_EXPORT_DIFFERS` for a file that is not one */
async function readEarlier(folder: string): Promise<Earlier | undefined> {
  const path = join(folder, 'checkpoint');
  const note = (await readIfThere(path))?.toString('utf8');
  return note === undefined ? undefined : parse(note, `${path} is not a checkpoint`);
}

function parse(note: string, otherwise: string): Earlier {
  const [, origin, size, root] = CHECKPOINT.exec(note) ?? [];
  if (origin === undefined || size === undefined || root === undefined) throw differs(otherwise);
  return { origin, size: Number(size), root: Buffer.from(root, 'base64'), note };
}

/** @throws {LogError} `LOG_EXPORT_DIFFERS` unless the log begins with the one that was exported */
async function refuseOther(
  earlier: Earlier,
  checkpoint: { readonly size: number; readonly note: string },
  source: DatabaseSource,
  folder: string,
): Promise<void> {
  const { origin } = parse(checkpoint.note, 'the log has no checkpoint');
  if (earlier.origin !== origin) throw differs(`${folder} has the log ${earlier.origin}, not ${origin}`);
  if (earlier.size > checkpoint.size)
    throw differs(`${folder} has ${earlier.size} entries, and the log only ${checkpoint.size}`);
  const readTile: ReadTile = (level, index) => source.tile(level, { index, width: TILE_WIDTH });
  const root = await new ProofMaker(readTile).root(earlier.size).catch((error: unknown) => {
    if (error instanceof RangeError) return undefined;
    throw error;
  });
  if (root?.equals(earlier.root) !== true)
    throw differs(`${folder} has ${earlier.size} entries with which the log does not begin`);
}

const SIGNATURE = /^— \S+ [A-Za-z0-9+/]{8,}={0,2}$/u;

/** Of the same head, the folder may have cosignatures that a restored database has lost. */
function withSignaturesOf(earlier: string | undefined, note: string): string {
  const [text = '', signatures = ''] = note.split('\n\n');
  const [earlierText, earlierSignatures = ''] = earlier?.split('\n\n') ?? [];
  if (earlierText !== text) return note;
  const has = new Set(signatures.split('\n').map(signerOf));
  const others = earlierSignatures
    .split('\n')
    .filter((line) => SIGNATURE.test(line) && !has.has(signerOf(line)));
  return `${note}${others.map((line) => `${line}\n`).join('')}`;
}

/** The name and the identifier of the key: the first four bytes of a signature. */
function signerOf(line: string): string {
  const [, name = '', signature = ''] = line.split(' ');
  return `${name} ${Buffer.from(signature, 'base64').toString('hex', 0, 4)}`;
}

function differs(message: string): LogError {
  return new LogError('LOG_EXPORT_DIFFERS', message);
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
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
