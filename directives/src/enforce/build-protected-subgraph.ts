import { concatAST, parse, Source } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { refuseOption } from '../claims/check-trust.js';
import { pathInsteadOf } from '../option-checks.js';
import { compileRules } from '../schema/compile-rules.js';
import { withFederationNamespace } from '../specification/federation-namespace.js';
import { buildApolloSubgraph } from './apollo-subgraph.js';
import type { SubgraphResolvers } from './apollo-subgraph.js';
import { checkOptions, SUBGRAPH_OPTIONS } from './check-options.js';
import { guardSchema } from './guard.js';
import type { ProtectionOptions } from './protection-options.js';

/** The options of {@link buildProtectedSubgraph}. */
export interface ProtectedSubgraphOptions extends ProtectionOptions {
  /** The schema, with `@link`; definitions of Behalf's directives may be omitted. */
  readonly typeDefs: string | DocumentNode | readonly (string | DocumentNode)[];
  /** As for `buildSubgraphSchema` of `@apollo/subgraph`, `__resolveReference` included. */
  readonly resolvers: SubgraphResolvers;
  /**
   * Wraps the schema's resolvers in further code (graphql-middleware, graphql-shield), before the protection wraps everything.
   */
  readonly transform?: (schema: GraphQLSchema) => GraphQLSchema;
}

/**
 * Builds a subgraph from SDL and resolvers that enforces every rule of its directives, for any server that runs a
 * GraphQLSchema. It needs the package `@apollo/subgraph`. For a schema built in code see `protectSchema`.
 *
 * A request without a context value from `protectedContext` counts as anonymous, and sees only what is `@public`.
 * `_service.sdl` is lowered, so that IntrospectAndCompose, rover and every other composer keep the rules.
 *
 * @throws {DirectiveError} `INVALID_OPTIONS`; if a rule cannot be compiled, with the coordinate in the message; `MISSING_APOLLO_SUBGRAPH` if the
 * package is not installed; `FEDERATION_NOT_LINKED` for a Federation 1 schema, from which composition would drop the rules
 *
 * @example
 * ```ts
 * import { buildProtectedSubgraph } from '@behalf/directives';
 * import { readFileSync } from 'node:fs';
 *
 * export const schema = buildProtectedSubgraph({
 *   name: 'accounts',
 *   typeDefs: readFileSync('accounts.graphql', 'utf8'),
 *   resolvers: {
 *     Query: { account: (_source, { id }: { id: string }) => ({ id, balance: 1200 }) },
 *     Account: { __resolveReference: ({ id }: { id: string }) => ({ id, balance: 1200 }) },
 *   },
 *   gateway: {
 *     issuer: 'https://gateway.example',
 *     jwksUri: 'https://gateway.example/.well-known/jwks.json',
 *   },
 * });
 * ```
 */
export function buildProtectedSubgraph(options: ProtectedSubgraphOptions): GraphQLSchema {
  checkOptions(options, SUBGRAPH_OPTIONS, ['name', 'gateway', 'typeDefs', 'resolvers']);
  const source = withFederationNamespace(documentOf(options.typeDefs));
  const { document, rules } = compileRules(source, {
    coverage: options.coverage,
    isFederated: true,
  });
  const built = buildApolloSubgraph(document, options.resolvers);
  const schema = options.transform === undefined ? built : options.transform(built);
  guardSchema(schema, rules, options);
  return schema;
}

function documentOf(typeDefs: ProtectedSubgraphOptions['typeDefs']): DocumentNode {
  const parts = Array.isArray(typeDefs)
    ? (typeDefs as readonly (string | DocumentNode)[])
    : [typeDefs as string | DocumentNode];
  return concatAST(parts.map((part) => (typeof part === 'string' ? parseSdl(part) : part)));
}

/** @throws {DirectiveError} `INVALID_OPTIONS` */
function parseSdl(sdl: string): DocumentNode {
  try {
    return parse(new Source(sdl, 'typeDefs'));
  } catch (error) {
    // The error has the place in the text.
    return refuseOption('typeDefs', pathInsteadOf('SDL', sdl) ?? String(error));
  }
}
