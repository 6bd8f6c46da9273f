import { randomBytes } from 'node:crypto';
import { chmod, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a whole file, so that whoever reads it at the same time finds the old text or the new, never a part: the text is
 * written beside it and takes its name. A link stays one, and the file keeps its permissions. What is no file, such as
 * `/dev/stdout`, is written to.
 *
 * @throws the file system's error; the old file is then unchanged
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const old = await present(path);
  if (old !== undefined && !old.isFile) {
    await writeFile(path, text);
    return;
  }
  const target = old?.path ?? path;
  const beside = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(beside, text, { flag: 'wx' });
    if (old !== undefined) await chmod(beside, old.mode);
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** The file or folder at a path, behind all links. */
async function present(
  path: string,
): Promise<{ readonly path: string; readonly isFile: boolean; readonly mode: number } | undefined> {
  try {
    const found = await stat(path);
    return { path: await realpath(path), isFile: found.isFile(), mode: found.mode };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
