import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let root: string | undefined;

/**
 * A path within the repository, whose root is the nearest folder above this file with a package.json named "behalf". It finds files
 * that the compiler does not copy (schemas, stylesheets), both from the sources and from `dist/`.
 *
 * @throws Error if there is no such folder (a broken installation)
 */
export function projectPath(...segments: string[]): string {
  root ??= findRoot(dirname(fileURLToPath(import.meta.url)));
  return join(root, ...segments);
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (packageName(folder) === 'behalf') return folder;
    if (folder === dirname(folder)) throw new Error(`No package.json of "behalf" above ${start}`);
  }
}

function packageName(folder: string): unknown {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return typeof parsed === 'object' && parsed !== null && 'name' in parsed ? parsed.name : undefined;
  } catch {
    return undefined;
  }
}
