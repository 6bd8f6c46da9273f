import { readFileSync } from 'node:fs';

import { projectPath } from '../store/internal.js';

/** The `schema.graphql` beside a subgraph's sources. */
export function readSchemaFile(subgraph: string): string {
  return readFileSync(projectPath('subgraphs', subgraph, 'schema.graphql'), 'utf8');
}
