import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const NAME = /^([0-9a-f]{64})(?:\.([1-9][0-9]{0,14}))?\.checkpoint$/;
/** What a process that crashed while it wrote leaves behind. */
const UNFINISHED = '.unfinished';

/** One version of what is known about a log. */
export interface StateFile {
  readonly hash: string;
  /** One more than that of the version before. */
  readonly version: number;
}

/** The name of a version. */
export function stateFileName({ hash, version }: StateFile): string {
  return version === 0 ? `${hash}.checkpoint` : `${hash}.${version}.checkpoint`;
}

/** The version in a file of this name; undefined if it is none. */
function parseName(name: string): StateFile | undefined {
  const [, hash, version = '0'] = NAME.exec(name) ?? [];
  return hash === undefined ? undefined : { hash, version: Number(version) };
}

/** Every version in a folder, the oldest first, and what else is named like one. */
export async function listStateFiles(
  folder: string,
): Promise<{ readonly files: readonly StateFile[]; readonly others: readonly string[] }> {
  const files: StateFile[] = [];
  const others: string[] = [];
  for (const name of await readdir(folder)) {
    const file = parseName(name);
    if (file !== undefined) files.push(file);
    else if (name.endsWith('.checkpoint')) others.push(name);
  }
  return { files: files.sort((a, b) => a.version - b.version), others };
}

/**
 * Makes a folder, and shows that versions can be added there: some file systems have no hard links.
 *
 * @throws the file system's error
 */
export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    // If another process still writes it, its version is not added, and it says so.
    if (name.endsWith(UNFINISHED)) await remove(join(folder, name));
  }
  const probe = join(folder, `${randomUUID()}${UNFINISHED}`);
  await writeDurably(probe, '', 0o644);
  try {
    await link(probe, `${probe}${UNFINISHED}`);
    await remove(`${probe}${UNFINISHED}`);
  } finally {
    await remove(probe);
  }
}

/**
 * Adds the version after another one, durably when it resolves, unless another process has been quicker. It needs no lock, which a
 * crash could leave behind: a hard link is made only where no file is. Old versions disappear from the oldest on, so whoever
 * would add one that was there before, and has disappeared, sees that the one before it is gone as well.
 *
 * @param last undefined if there is none yet
 * @returns false, with nothing added, if `last` is not the newest version
 * @throws the file system's error
 */
export async function addStateFile(
  folder: string,
  hash: string,
  last: StateFile | undefined,
  text: string,
): Promise<boolean> {
  const next = { hash, version: (last?.version ?? 0) + 1 };
  const path = join(folder, stateFileName(next));
  await removeBefore(folder, hash, last?.version ?? 0);
  if (!(await addFile(path, text, { mode: 0o644, suffix: UNFINISHED }))) return false;
  const versions = await versionsOf(folder, hash);
  if (versions.at(-1) !== next.version || (last !== undefined && !versions.includes(last.version))) {
    await remove(path);
    return false;
  }
  await removeBefore(folder, hash, next.version);
  return true;
}

/**
 * Adds a file with its whole text, durably when it resolves, unless there is one of its name.
 *
 * @param suffix of the file's name while it is written
 * @returns false if there is one
 * @throws the file system's error
 */
export async function addFile(
  path: string,
  text: string,
  { mode, suffix }: { readonly mode: number; readonly suffix: string },
): Promise<boolean> {
  const folder = dirname(path);
  const written = join(folder, `${randomUUID()}${suffix}`);
  try {
    await writeDurably(written, text, mode);
    await link(written, path);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await remove(written);
  }
  await syncFolder(folder);
  return true;
}

async function versionsOf(folder: string, hash: string): Promise<number[]> {
  const { files } = await listStateFiles(folder);
  return files.filter((file) => file.hash === hash).map(({ version }) => version);
}

async function removeBefore(folder: string, hash: string, version: number): Promise<void> {
  for (const old of await versionsOf(folder, hash)) {
    if (old < version) await remove(join(folder, stateFileName({ hash, version: old })));
  }
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    // Another process was quicker.
    if (!isCode(error, 'ENOENT')) throw error;
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

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
