import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let root: string | undefined;

/**
 * A path inside the project: the nearest folder above this file whose package.json is that of the whole workspace.
 * The compiler does not copy what is not TypeScript, so that files read at run time (schemas, stylesheets)
 * are found from here, both from the sources and from `dist/`.
 *
 * @throws Error when no such folder is above this file (a broken installation)
 */
export function projectPath(...segments: string[]): string {
  root ??= findRoot(dirname(fileURLToPath(import.meta.url)));
  return join(root, ...segments);
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (packageName(folder) === 'behalf-workspace') return folder;
    if (folder === dirname(folder)) throw new Error(`No package.json of the workspace above ${start}`);
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
