import type { GraphQLDataSourceProcessOptions } from '../apollo.js';
import { BYTES_PER_CHARACTER, ByteCache } from '../byte-cache.js';
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

/** For one subgraph. Plans are reused, so it is asked the same operations again and again, with other variables. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The operations that a subgraph was asked, each parsed once. */
export class SentOperations {
  readonly #known = new ByteCache<SentOperation>(MAX_BYTES);

  of(query: string): SentOperation {
    const known = this.#known.get(query);
    if (known !== undefined) return known;
    const sent = new SentOperation(query);
    this.#known.set(query, sent, query.length, BYTES_PER_CHARACTER.document);
    return sent;
  }
}

/** A request, as @apollo/gateway describes it to a data source. */
export function fetchOf(
  subgraph: string,
  options: GraphQLDataSourceProcessOptions,
  sent: SentOperations,
): SubgraphFetch {
  const { query, variables } = options.request;
  const at = 'pathInIncomingRequest' in options ? (options.pathInIncomingRequest ?? []) : [];
  const representations: unknown = variables?.representations;
  return {
    subgraph,
    at: at.map(String),
    sent: sent.of(query ?? ''),
    entities: Array.isArray(representations) ? representations.length : 0,
  };
}
