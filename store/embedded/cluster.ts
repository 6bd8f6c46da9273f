import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { StoreError } from '../errors.js';
import type { Account } from './account.js';
import type { Home } from './home.js';

const run = promisify(execFile);

/** The name of the database superuser, and of the one database in use. */
export const DATABASE_NAME = 'behalf';

const CLUSTER = 'postgres';
const PASSWORD = 'password';
const UNFINISHED = 'database.new-';
const UNFINISHED_MS = 5 * 60_000;

/** Holds the cluster, its password, and its owner's process id. */
export function databaseFolder(home: Home): string {
  return join(home.folder, 'database');
}

/** PostgreSQL's own folder, whose files belong to the server's account. */
export function clusterFolder(home: Home): string {
  return join(databaseFolder(home), CLUSTER);
}

/**
 * Creates the cluster on the first start; later, checks that these binaries can read it.
 *
 * @returns the superuser's password
 * @throws StoreError `DATA_VERSION`, `PASSWORD_MISSING`, `INITIALIZATION_FAILED`
 */
export async function prepareCluster(home: Home, account: Account | undefined): Promise<string> {
  const folder = clusterFolder(home);
  const found = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (found === undefined) return initialize(home, account);
  if (found.trim() !== home.binaries.majorVersion) {
    throw new StoreError(
      'DATA_VERSION',
      `The data in ${folder} was written by PostgreSQL ${found.trim()}, and PostgreSQL ${home.binaries.majorVersion} ` +
        'cannot read it; dump it with the old version and load it with the new one, or start with an empty folder',
    );
  }
  return readPassword(home);
}

async function readPassword(home: Home): Promise<string> {
  const file = join(databaseFolder(home), PASSWORD);
  const password = await readFile(file, 'utf8').catch(() => '');
  if (password.trim() !== '') return password.trim();
  throw new StoreError(
    'PASSWORD_MISSING',
    `The data in ${clusterFolder(home)} has no password: ${file} is missing or cannot be read`,
  );
}

/**
 * Creates the cluster under another name and renames it at the end, so that concurrent or interrupted starts leave nothing
 * half-made.
 */
async function initialize(home: Home, account: Account | undefined): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  await removeUnfinished(home);
  const unfinished = join(home.folder, `${UNFINISHED}${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(unfinished, { mode: 0o711 });
    const cluster = join(unfinished, CLUSTER);
    await mkdir(cluster, { mode: 0o700 });
    await writePrivately(join(unfinished, PASSWORD), password);
    const handOver = join(unfinished, 'password-for-initdb');
    await writePrivately(handOver, password);
    if (account !== undefined) {
      await chown(cluster, account.uid, account.gid);
      await chown(handOver, account.uid, account.gid);
    }
    await run(join(home.binaries.folder, 'bin', 'initdb'), initdbArguments(cluster, handOver), {
      ...account,
      cwd: '/',
      env: serverEnvironment(),
    });
    await rm(handOver);
    await rename(unfinished, databaseFolder(home));
    return password;
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOTEMPTY') {
      throw new StoreError(
        'DATA_DIR_IN_USE',
        `Another start created its files in ${home.folder} at the same time`,
        {
          cause,
        },
      );
    }
    throw new StoreError(
      'INITIALIZATION_FAILED',
      `PostgreSQL could not create its files in ${databaseFolder(home)}: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

async function removeUnfinished(home: Home): Promise<void> {
  const names = await readdir(home.folder);
  for (const name of names.filter((entry) => entry.startsWith(UNFINISHED))) {
    const path = join(home.folder, name);
    // A newer one may belong to another start that is still running.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (mtimeMs < Date.now() - UNFINISHED_MS) await rm(path, { recursive: true, force: true });
  }
}

/** Uses PostgreSQL's built-in locale, so that sorting does not depend on the machine or change with its upgrades. */
function initdbArguments(folder: string, password: string): string[] {
  return [
    `--pgdata=${folder}`,
    `--username=${DATABASE_NAME}`,
    `--pwfile=${password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
}

/** The server's environment: only what it needs to find programs. PG* variables would change its defaults. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

async function writePrivately(path: string, content: string): Promise<void> {
  await writeFile(path, `${content}\n`, { mode: 0o600, flag: 'wx' });
}

function reasonOf(cause: unknown): string {
  const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
  if (stderr !== '') return stderr.split('\n').slice(0, 3).join(' ');
  return cause instanceof Error ? cause.message : 'unknown reason';
}
