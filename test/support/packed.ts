import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';
import { installPacked, packAll } from '../release/pack.js';
import type { PackedPackage } from '../release/pack.js';
import { until } from './wait.js';

/** Longest wait for another test file that packs or installs. */
const MAX_WAIT_MS = 240_000;

/** What a stock federation needs beside what the tutorial installs. */
const STOCK_PACKAGES = ['@apollo/gateway@2', '@as-integrations/express5@1', 'express@5'];

type Outcome<T> = { readonly value: T } | { readonly error: string };

/** Runs something once for the whole run, whichever test file comes first; the others wait for its result. */
async function once<T>(name: string, make: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(inject('runFolder'), name);
  const outcomeFile = `${folder}.json`;
  const isFirst = await mkdir(folder).then(
    () => true,
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    },
  );
  const outcome = isFirst
    ? await make(folder).then(
        (value): Outcome<T> => ({ value }),
        (error: unknown): Outcome<T> => ({ error: String(error) }),
      )
    : await outcomeOf<T>(outcomeFile);
  if (isFirst) {
    await writeFile(`${outcomeFile}.new`, JSON.stringify(outcome));
    await rename(`${outcomeFile}.new`, outcomeFile);
  }
  if ('error' in outcome) throw new Error(`${name}: ${outcome.error}`);
  return outcome.value;
}

async function outcomeOf<T>(file: string): Promise<Outcome<T>> {
  let text: string | undefined;
  const isWritten = async (): Promise<boolean> =>
    (text = await readFile(file, 'utf8').catch(() => undefined)) !== undefined;
  await until(isWritten, `${file} is written`, MAX_WAIT_MS);
  return JSON.parse(text ?? '') as Outcome<T>;
}

/** Every published package as a tarball, packed once for a run. `npm test` builds them first. */
export function packedPackages(): Promise<readonly PackedPackage[]> {
  return once('packed', (folder) => packAll(projectPath(), folder));
}

/**
 * A project outside the repository into which packages are installed, ours from their tarballs, once for a run.
 *
 * @param packages As `npm install` takes them.
 * @returns Its folder.
 */
export function packedProject(name: string, packages: readonly string[]): Promise<string> {
  return once(name, async (folder) => {
    const packed = await packedPackages();
    const isOurs = (wanted: string): boolean => packed.some(({ manifest }) => manifest.name === wanted);
    await installPacked(
      folder,
      packages.filter(isOurs),
      packed,
      packages.filter((wanted) => !isOurs(wanted)),
    );
    return folder;
  });
}

/** The packages of the tutorial's `npm install`. */
export async function tutorialPackages(): Promise<readonly string[]> {
  const tutorial = await readFile(projectPath('docs/tutorial.md'), 'utf8');
  const packages = /^npm install (.+)$/m.exec(tutorial)?.[1];
  if (packages === undefined) throw new Error('the tutorial installs nothing');
  return packages.split(' ');
}

/** The project that the tutorial, the starters and the stock federation share: installing takes longest. */
export async function sharedProject(): Promise<string> {
  return packedProject('shared', [...(await tutorialPackages()), ...STOCK_PACKAGES]);
}

/** Gives a folder what is installed in a project, as `npm install` in the folder would. */
export function useModulesOf(project: string, folder: string): Promise<void> {
  return symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
}
