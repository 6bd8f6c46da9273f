import { readFileSync } from 'node:fs';

import { projectPath } from './project-path.js';

/** Reads the `schema.graphql` beside a subgraph's sources. */
export function readSchemaFile(subgraph: string): string {
  return readFileSync(projectPath('subgraphs', 'bank', subgraph, 'schema.graphql'), 'utf8');
}
