import { execFile } from 'node:child_process';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readManifest } from './pack.js';

const run = promisify(execFile);

export interface InstalledPackage {
  readonly name: string;
  readonly license: string;
  readonly bytes: number;
}

/** Every package in `node_modules` of a project, nested ones included. */
export async function installedPackages(project: string): Promise<readonly InstalledPackage[]> {
  const found: InstalledPackage[] = [];
  const visit = async (modules: string): Promise<void> => {
    const names = await readdir(modules).catch(() => []);
    for (const name of names.filter((entry) => !entry.startsWith('.'))) {
      if (name.startsWith('@')) {
        for (const scoped of await readdir(join(modules, name))) await add(join(modules, name, scoped));
      } else await add(join(modules, name));
    }
  };
  const add = async (folder: string): Promise<void> => {
    const manifest = await readManifest(folder).catch(() => undefined);
    if (manifest !== undefined) {
      // Old packages use an object.
      const license = manifest.license as string | { readonly type?: string } | undefined;
      const named = typeof license === 'object' ? license.type : license;
      found.push({ name: manifest.name, license: named ?? 'unknown', bytes: await sizeOf(folder) });
    }
    await visit(join(folder, 'node_modules'));
  };
  await visit(join(project, 'node_modules'));
  return found;
}

/** Bytes of a package's own files, without nested packages. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await sizeOf(path) : (await lstat(path)).size;
  }
  return bytes;
}

/**
 * Imports an entry in its own process.
 * @returns the exported names
 * @throws the import's error, from stderr
 */
export async function exportedNames(
  project: string,
  specifier: string,
  node = process.execPath,
): Promise<string[]> {
  const program = `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(specifier)}))))`;
  const { stdout } = await run(node, ['--input-type=module', '-e', program], {
    cwd: project,
    timeout: 60_000,
  });
  return JSON.parse(stdout) as string[];
}
