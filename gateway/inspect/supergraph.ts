import { Supergraph } from '@apollo/federation-internals';
import type { RuleTable } from '@behalf/directives/internal';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { parse } from 'graphql';
import { readSupergraph } from '../authorize/supergraph.js';

/** A supergraph as the tools look at it. */
export interface InspectedSupergraph {
  readonly document: DocumentNode;
  readonly rules: RuleTable;
  /** What clients see: without what federation adds, and without what is `@inaccessible`. */
  readonly apiSchema: GraphQLSchema;
}

export type Coverage = 'required' | 'open';

/**
 * @param coverage As the gateway's own setting: whether a field without a rule is refused.
 * @throws {SupergraphError} when it cannot be read, or a rule in it cannot be enforced.
 */
export function inspectSupergraph(sdl: string, coverage: Coverage): InspectedSupergraph {
  const { rules, executableSdl } = readSupergraph(sdl, coverage);
  return { document: parse(sdl), rules, apiSchema: apiSchemaOf(executableSdl) };
}

/** The API schema as @apollo/gateway derives it. @param executableSdl Without security purposes, which it refuses. */
export function apiSchemaOf(executableSdl: string): GraphQLSchema {
  return Supergraph.build(executableSdl, { supportedFeatures: null }).apiSchema().toGraphQLJSSchema();
}
