import { Supergraph } from '@apollo/federation-internals';
import { reasonsNotServed } from '../not-served.js';
import type { RuleTable } from '@behalf/directives/internal';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { parse } from 'graphql';
import { readSupergraph } from '../authorize/supergraph.js';
import { checkCoverage } from './check-input.js';

/** A supergraph as the tools see it. */
export interface InspectedSupergraph {
  readonly document: DocumentNode;
  readonly rules: RuleTable;
  /** The schema that clients see: without federation's additions and `@inaccessible` elements. */
  readonly apiSchema: GraphQLSchema;
}

/** `required`: a field without a rule that is not `@public` is refused. `open`: it is open, as in the standard. */
export type Coverage = 'required' | 'open';

/**
 * Reads a supergraph with its rules, for {@link diffSupergraphs} and checks of your own.
 *
 * @param coverage whether a field without a rule is refused, as in the gateway's configuration
 * @throws {ConfigurationError} for an argument that cannot be used, with its path
 * @throws {SupergraphError} when the supergraph cannot be read, or one of its rules cannot be enforced
 *
 * @example
 * ```ts
 * import { inspectSupergraph } from '@behalf/gateway/tools';
 * import { printSchema } from 'graphql';
 * import { readFileSync } from 'node:fs';
 *
 * const { apiSchema } = inspectSupergraph(readFileSync('supergraph.graphql', 'utf8'), 'required');
 * console.log(printSchema(apiSchema));
 * ```
 */
export function inspectSupergraph(sdl: string, coverage: Coverage): InspectedSupergraph {
  checkCoverage(sdl, coverage);
  const { rules, executableSdl } = readSupergraph(sdl, coverage);
  return { document: parse(sdl), rules, apiSchema: apiSchemaOf(executableSdl) };
}

/** The API schema as @apollo/gateway derives it. @param executableSdl without `for: SECURITY`, which Apollo refuses */
export function apiSchemaOf(executableSdl: string): GraphQLSchema {
  return Supergraph.build(executableSdl, { supportedFeatures: null }).apiSchema().toGraphQLJSSchema();
}

/** Why `@apollo/gateway` does not start with a supergraph that can be read. */
export function whyNotServed(sdl: string): readonly string[] {
  try {
    Supergraph.build(readSupergraph(sdl, 'open').executableSdl);
    return [];
  } catch (error) {
    const reasons = reasonsNotServed(error);
    if (reasons === undefined) throw error;
    return reasons;
  }
}
