import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What `link` answers where a file system has no hard links. */
const NO_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/**
 * The text of a file; undefined if there is none.
 *
 * @throws the file system's error
 */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Creates a file that its owner alone can read, such as a key, unless another process is quicker: each of them gets the text of
 * the one that was. The file appears with its whole text, and is on disk when this resolves, so whoever reads it at the same time,
 * or after a crash, finds no part of it.
 *
 * @returns the file's text
 * @throws the file system's error
 */
export async function createShared(path: string, text: string): Promise<string> {
  const beside = `${path}.${randomUUID()}.new`;
  try {
    await writeDurably(beside, text);
    await takeName(beside, path);
  } catch (error) {
    const other = codeOf(error) === 'EEXIST' ? await readIfThere(path) : undefined;
    if (other !== undefined) return other;
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
  await syncFolder(dirname(path));
  return text;
}

/** @throws an error `EEXIST` if the name is taken */
async function takeName(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    // There, the file is not whole at once; it still never replaces another one.
    if (!NO_LINKS.includes(codeOf(error))) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new file is found after a crash only when its folder is on disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
