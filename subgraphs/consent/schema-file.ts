import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The compiler copies no `.graphql` files, so the schema lies beside the sources and above the compiled files. */
const CANDIDATES = ['schema.graphql'];

/**
 * Reads the package's `schema.graphql`.
 *
 * @throws Error when the installation lacks the file
 */
export function readSchemaFile(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const file = CANDIDATES.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (file !== undefined) return readFileSync(file, 'utf8');
    if (folder === dirname(folder))
      throw new Error(`No schema.graphql of the consent subgraph above ${start}`);
  }
}
