import { createRequire } from 'node:module';
import type * as ApolloSubgraph from '@apollo/subgraph';
import { versionInfo } from 'graphql';
import type { DocumentNode, GraphQLResolveInfo, GraphQLScalarType, GraphQLSchema } from 'graphql';
import { DirectiveError } from '../errors.js';

/**
 * Declared as a method, so that a resolver may narrow its parameters: `(source: Account, { id }: { id: string }, context:
 * MyContext)`.
 */
type Resolve = {
  resolve(source: unknown, args: unknown, context: unknown, info: GraphQLResolveInfo): unknown;
}['resolve'];

/**
 * Resolvers by type and field, as for `buildSubgraphSchema` of `@apollo/subgraph`: including `__resolveReference`,
 * `__resolveType` and `__isTypeOf`; for an enum its internal values, for a scalar the `GraphQLScalarType`.
 */
export type SubgraphResolvers = Readonly<
  Record<
    string,
    | Readonly<
        Record<
          string,
          Resolve | { readonly resolve?: Resolve; readonly subscribe?: Resolve } | string | number
        >
      >
    | GraphQLScalarType
    | undefined
  >
>;

/** The last major version of graphql that `@apollo/subgraph` accepts. */
const LAST_GRAPHQL = 16;

const require = createRequire(import.meta.url);

/**
 * Builds a subgraph's schema with `@apollo/subgraph`, an optional peer that is loaded on use. It is loaded as CommonJS, because
 * that is synchronous, and because it then shares the CommonJS build of graphql 16 that Node loads everywhere: two builds in
 * one process do not recognize each other's types.
 *
 * @throws {DirectiveError} `MISSING_APOLLO_SUBGRAPH`
 */
export function buildApolloSubgraph(typeDefs: DocumentNode, resolvers: SubgraphResolvers): GraphQLSchema {
  const { buildSubgraphSchema } = loadApolloSubgraph();
  // It does not expect a type without resolvers.
  const given = Object.fromEntries(Object.entries(resolvers).filter(([, value]) => value !== undefined));
  return buildSubgraphSchema([{ typeDefs, resolvers: given as ApolloSubgraph.GraphQLResolverMap<unknown> }]);
}

function loadApolloSubgraph(): typeof ApolloSubgraph {
  let path: string;
  try {
    path = require.resolve('@apollo/subgraph');
  } catch {
    throw new DirectiveError(
      'MISSING_APOLLO_SUBGRAPH',
      versionInfo.major > LAST_GRAPHQL
        ? `buildProtectedSubgraph needs @apollo/subgraph, which does not support graphql ${versionInfo.major}: build the schema with another library, and give it to protectSchema`
        : 'buildProtectedSubgraph needs the package @apollo/subgraph: npm install @apollo/subgraph@2.15',
    );
  }
  return require(path) as typeof ApolloSubgraph;
}
