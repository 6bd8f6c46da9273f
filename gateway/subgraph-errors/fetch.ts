import type { GraphQLDataSourceProcessOptions } from '../apollo.js';
import { SentOperation } from './sent-operation.js';

/** One request of a subgraph, on behalf of an operation. */
export interface SubgraphFetch {
  readonly subgraph: string;
  /** Where in the response it belongs: keys under which the operation is executed, and `@` for every entry of a list. */
  readonly at: readonly string[];
  readonly sent: SentOperation;
  /** How many entities it asked for. */
  readonly entities: number;
}

/** What @apollo/gateway tells a data source of a request. */
export function fetchOf(subgraph: string, options: GraphQLDataSourceProcessOptions): SubgraphFetch {
  const { query, variables } = options.request;
  const at = 'pathInIncomingRequest' in options ? (options.pathInIncomingRequest ?? []) : [];
  const representations: unknown = variables?.representations;
  return {
    subgraph,
    at: at.map(String),
    sent: new SentOperation(query),
    entities: Array.isArray(representations) ? representations.length : 0,
  };
}
