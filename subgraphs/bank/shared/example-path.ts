import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let root: string | undefined;

/**
 * A path below the folder that holds the example's `supergraph.yaml`. The compiler copies only TypeScript, so files read
 * at run time are found from that folder, whether the sources or the compiled files run.
 *
 * @throws Error when no folder above this file has a `supergraph.yaml`
 */
export function examplePath(...segments: string[]): string {
  root ??= findRoot(dirname(fileURLToPath(import.meta.url)));
  return join(root, ...segments);
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'supergraph.yaml'))) return folder;
    if (folder === dirname(folder)) throw new Error(`No supergraph.yaml above ${start}`);
  }
}
