import type { GraphQLSchema } from 'graphql';
import { FACTS_EXTENSION } from '../record/facts.js';
import { finishProtectedRequest } from './protected-subgraph.js';

/** The part of Apollo Server's plugin interface that is used here, so that the library does not depend on a server. */
interface ServerPlugin {
  requestDidStart(): Promise<{
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
 * Apollo Server plugin (5.x) that ends each request's record and puts the facts into the response's `extensions`.
 */
export function protectedSubgraphPlugin(schema: GraphQLSchema): ServerPlugin {
  return {
    async requestDidStart() {
      return {
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
