import { execFile } from 'node:child_process';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readManifest } from './pack.js';
import type { Manifest } from './pack.js';

const run = promisify(execFile);

const IMPORT_TIMEOUT_MS = 60_000;

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

/** The specifiers of a package that `import` takes; JSON and GraphQL files are not modules. */
export function importableEntries({ name, exports = {} }: Manifest): readonly string[] {
  return Object.keys(exports)
    .filter((entry) => !/\.(?:json|graphql)$|\*/.test(entry))
    .map((entry) => name + entry.slice(1));
}

/**
 * Imports entries in a process of its own.
 * @returns the exported names
 * @throws the import's error, from stderr
 */
export async function exportedNames(
  project: string,
  specifiers: readonly string[],
  node = process.execPath,
): Promise<string[]> {
  const program = `
    const names = [];
    for (const specifier of ${JSON.stringify(specifiers)}) names.push(...Object.keys(await import(specifier)));
    console.log(JSON.stringify(names));`;
  const { stdout } = await run(node, ['--input-type=module', '-e', program], {
    cwd: project,
    timeout: IMPORT_TIMEOUT_MS,
  });
  return JSON.parse(stdout) as string[];
}
