import { GraphQLError } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import type { requestErrors } from '../errors.js';
import { FACTS_EXTENSION } from '../record/facts.js';
import { finishProtectedRequest, isBoundElsewhere } from './protected-context.js';

/** The part of Apollo Server's plugin interface that is used here, so that the library does not depend on a server. */
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
 * Apollo Server plugin (5.x) that ends each request's record and puts the facts into the response's `extensions`. It also
 * holds a bound transaction token to the operation that is executed: by GET, in a batch or for a persisted query that is not
 * the one in the body that the context was made of.
 */
export function protectedSubgraphPlugin(schema: GraphQLSchema): ServerPlugin {
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
          const facts = finishProtectedRequest(schema, contextValue);
          if (facts === undefined || response.body.kind !== 'single') return;
          const { singleResult } = response.body;
          singleResult.extensions = { ...singleResult.extensions, [FACTS_EXTENSION]: facts };
        },
      };
    },
  };
}
