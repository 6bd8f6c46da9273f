import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, cp, mkdir, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { StoreError } from '../errors.js';
import type { Log } from '../log.js';
import { type Account, canEnter } from './account.js';
import type { Binaries } from './binaries.js';

const SYSTEM_STATE_DIR = '/var/lib/behalf';

/** The server's folders, all accessible to its account. */
export interface Home {
  /** Holds the folder `database`. */
  readonly folder: string;
  readonly binaries: Binaries;
}

/**
 * Chooses the server's folders: normally the data folder and the installed binaries.
 *
 * As root, the server runs under another account. If that account cannot enter a parent folder (a clone below /root), the files
 * go to /var/lib/behalf instead, under a name derived from the data folder's path, and every start logs it. Refusing would be
 * simpler, but "clone it and start it" must work for root in a container, which starts in such a folder. Opening the parents, or
 * running with more capabilities, is not ours to decide.
 *
 * @throws StoreError `DATA_DIR_NOT_WRITABLE`
 */
export async function prepareHome(
  dataDir: string,
  account: Account | undefined,
  binaries: Binaries,
  log: Log,
): Promise<Home> {
  await makeFolder(dataDir);
  const enters = await canEnter(account, dataDir);
  const runs = await canEnter(account, binaries.folder);
  if (enters && runs) return { folder: dataDir, binaries };

  const id = createHash('sha256')
    .update(await realpath(dataDir))
    .digest('hex')
    .slice(0, 16);
  const folder = enters ? dataDir : join(SYSTEM_STATE_DIR, id);
  await makeFolder(folder);
  if (!enters) {
    log.log('warn', 'DATABASE_FOLDER_MOVED', { account: 'postgres', from: dataDir, to: folder });
  }
  return { folder, binaries: runs ? binaries : await copyBinaries(binaries) };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    // Others may traverse the folder but not list it: the server's account must reach its own folder inside.
    await mkdir(folder, { recursive: true, mode: 0o711 });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new StoreError(
      'DATA_DIR_NOT_WRITABLE',
      `The data folder ${folder} cannot be written by this user; make it writable or choose another one`,
      { cause },
    );
  }
}

async function copyBinaries(binaries: Binaries): Promise<Binaries> {
  const { name } = await packageOf(binaries);
  const folder = join(SYSTEM_STATE_DIR, name);
  try {
    await access(join(folder, 'bin', 'postgres'), constants.X_OK);
  } catch {
    // Renamed at the end, so that an interrupted copy is never used.
    const partial = `${folder}.${process.pid}`;
    await makeFolder(SYSTEM_STATE_DIR);
    await cp(binaries.folder, partial, { recursive: true, verbatimSymlinks: true });
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  }
  return { ...binaries, folder };
}

async function packageOf(binaries: Binaries): Promise<{ name: string }> {
  const id = createHash('sha256')
    .update(await realpath(binaries.folder))
    .digest('hex')
    .slice(0, 16);
  return { name: `postgresql-${binaries.majorVersion}-${id}` };
}
