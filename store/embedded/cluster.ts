import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { StoreError } from '../errors.js';
import type { Account } from './account.js';
import type { Home } from './home.js';

const run = promisify(execFile);

/** The database superuser, and the name of the one database that is used. */
export const DATABASE_NAME = 'behalf';

/** PostgreSQL's own folder: its files belong to the account that the server runs under. */
export function clusterFolder(home: Home): string {
  return join(home.folder, 'postgres');
}

/**
 * Makes the cluster on the first start; on a later one sees that these binaries can read it.
 *
 * @returns the superuser's password
 * @throws StoreError `data_version`, `password_missing`, `initialization_failed`
 */
export async function prepareCluster(home: Home, account: Account | undefined): Promise<string> {
  const folder = clusterFolder(home);
  const found = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (found === undefined) return initialize(home, account);
  if (found.trim() !== home.binaries.majorVersion) {
    throw new StoreError(
      'data_version',
      `The data in ${folder} was written by PostgreSQL ${found.trim()}, and PostgreSQL ${home.binaries.majorVersion} ` +
        'cannot read it; dump it with the old version and load it with the new one, or start with an empty folder',
    );
  }
  return readPassword(home);
}

function passwordFile(home: Home): string {
  return join(home.folder, 'database-password');
}

async function readPassword(home: Home): Promise<string> {
  const password = await readFile(passwordFile(home), 'utf8').catch(() => '');
  if (password.trim() !== '') return password.trim();
  throw new StoreError(
    'password_missing',
    `The data in ${clusterFolder(home)} has no password beside it: ${passwordFile(home)} is missing or cannot be read`,
  );
}

async function initialize(home: Home, account: Account | undefined): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  const folder = clusterFolder(home);
  // Renamed at the end: a start that was interrupted in the middle leaves nothing that looks like a cluster.
  const partial = `${folder}.new`;
  const handOver = `${passwordFile(home)}.initdb`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { mode: 0o700 });
    await writePrivately(passwordFile(home), password);
    await writePrivately(handOver, password);
    if (account !== undefined) {
      await chown(partial, account.uid, account.gid);
      await chown(handOver, account.uid, account.gid);
    }
    await run(join(home.binaries.folder, 'bin', 'initdb'), initdbArguments(partial, handOver), {
      ...account,
      cwd: '/',
      env: serverEnvironment(),
    });
    await rename(partial, folder);
    return password;
  } catch (cause) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    throw new StoreError(
      'initialization_failed',
      `PostgreSQL could not make its files in ${folder}: ${reasonOf(cause)}`,
      {
        cause,
      },
    );
  } finally {
    await rm(handOver, { force: true });
  }
}

/** The locale is PostgreSQL's own, so that sorting does not depend on the machine (and survives its upgrades). */
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

/** What the server sees of our environment: nothing but what finds programs. PG* variables would change its defaults. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

async function writePrivately(path: string, content: string): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, `${content}\n`, { mode: 0o600, flag: 'wx' });
  await chmod(path, 0o600);
}

function reasonOf(cause: unknown): string {
  const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
  if (stderr !== '') return stderr.split('\n').slice(0, 3).join(' ');
  return cause instanceof Error ? cause.message : 'unknown reason';
}
