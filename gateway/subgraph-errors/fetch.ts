import type { GraphQLDataSourceProcessOptions } from '../apollo.js';
import { SentOperation } from './sent-operation.js';

/** One subgraph request, for an operation. */
export interface SubgraphFetch {
  readonly subgraph: string;
  /** Its position in the response: keys under which the operation is executed, and `@` for every list entry. */
  readonly at: readonly string[];
  readonly sent: SentOperation;
  /** The number of requested entities. */
  readonly entities: number;
}

/** A request, as @apollo/gateway describes it to a data source. */
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
