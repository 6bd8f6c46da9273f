import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The templates are beside the sources of the CLI, and above its compiled files. */
const CANDIDATES = ['templates'];

/** The folder with the files of a starter. @throws Error when the installation lacks it */
export function findTemplates(kind: 'subgraph' | 'gateway'): string {
  return findAbove(CANDIDATES.map((folder) => join(folder, kind)));
}

/** The version of the CLI, which all of Behalf's packages share. */
export function readOwnVersion(): string {
  const { version } = JSON.parse(readFileSync(findAbove(['package.json']), 'utf8')) as { version: string };
  return version;
}

function findAbove(names: readonly string[]): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const found = names.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (found !== undefined) return found;
    if (folder === dirname(folder)) throw new Error(`No ${names.join(' or ')} above ${start}`);
  }
}
