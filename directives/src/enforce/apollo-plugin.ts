import { GraphQLError } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import type { requestErrors } from '../errors.js';
import { FACTS_EXTENSION } from '../record/facts.js';
import { guardOf } from './guard.js';
import { finishProtectedRequest, isBoundElsewhere } from './protected-context.js';

/** The used part of Apollo Server's `ApolloServerPlugin`, so that the library does not depend on a server. */
export interface ServerPlugin {
  requestDidStart(): Promise<{
    didResolveOperation(request: {
      readonly contextValue: unknown;
      readonly source: string;
      readonly request: {
        readonly variables?: unknown;
        readonly operationName?: unknown;
      };
    }): Promise<void>;
    willSendResponse(request: {
      readonly contextValue: unknown;
      readonly response: { readonly body: ResponseBody };
    }): Promise<void>;
  }>;
}

type ResponseBody =
  | { readonly kind: 'single'; readonly singleResult: { extensions?: Record<string, unknown> } }
  | { readonly kind: 'incremental' };

/**
 * A plugin for Apollo Server 5 that ends each request's record, and puts the facts under `extensions.behalf` of the response,
 * where the gateway removes them.
 *
 * It also compares a bound transaction token with the executed operation, which by GET, in a batch or for a persisted query is
 * not the one in the body given to the context. Such a request fails with `TXN_TOKEN_ELSEWHERE`.
 *
 * @param schema The protected schema; or a function that returns it, where the server's configuration is read before the schema is
 *   made (NestJS).
 * @throws {DirectiveError} `NOT_PROTECTED` for anything but a schema that `buildProtectedSubgraph` or `protectSchema` returned, or a
 *   function
 *
 * @example
 * ```ts
 * import { protectedContext, protectedSubgraphPlugin } from '@behalf/directives';
 * import { ApolloServer } from '@apollo/server';
 * import { startStandaloneServer } from '@apollo/server/standalone';
 * import type { GraphQLSchema } from 'graphql';
 *
 * export async function serve(schema: GraphQLSchema): Promise<string> {
 *   const server = new ApolloServer({ schema, plugins: [protectedSubgraphPlugin(schema)] });
 *   const { url } = await startStandaloneServer(server, {
 *     context: ({ req }) => protectedContext(schema, req, 'body' in req ? req.body : undefined),
 *   });
 *   return url;
 * }
 * ```
 */
export function protectedSubgraphPlugin(schema: GraphQLSchema | (() => GraphQLSchema)): ServerPlugin {
  // At the start, rather than at the first request.
  if (typeof schema !== 'function') guardOf(schema);
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ contextValue, source, request: { variables, operationName } }) {
          if (isBoundElsewhere(contextValue, { query: source, variables, operationName }))
            throw new GraphQLError('The request is not the one that was authorized', {
              extensions: { code: 'TXN_TOKEN_ELSEWHERE' satisfies keyof typeof requestErrors },
            });
        },
        async willSendResponse({ contextValue, response }) {
          const served = typeof schema === 'function' ? schema() : schema;
          const facts = finishProtectedRequest(served, contextValue);
          if (facts === undefined || response.body.kind !== 'single') return;
          const { singleResult } = response.body;
          singleResult.extensions = { ...singleResult.extensions, [FACTS_EXTENSION]: facts };
        },
      };
    },
  };
}
