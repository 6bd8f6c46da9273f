import { readFileSync } from 'node:fs';

import { examplePath } from './example-path.js';

/** Reads the `schema.graphql` beside a subgraph's sources. */
export function readSchemaFile(subgraph: string): string {
  return readFileSync(examplePath('subgraphs', 'bank', subgraph, 'schema.graphql'), 'utf8');
}
