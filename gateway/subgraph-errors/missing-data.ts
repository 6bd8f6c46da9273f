import { isNonNullType } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import type { GatewayErrorCode } from '../errors.js';
import type { SubgraphFetch } from './fetch.js';
import { errorMessage, SubgraphError } from './subgraph-error.js';

/**
 * Whether errors explain a response without data: one concerns the whole fetch, or the null of a non-null root field propagated
 * to all of it (GraphQL section 6.4.4).
 */
export function explainMissingData(
  errors: readonly SubgraphError[],
  { sent }: SubgraphFetch,
  schema: GraphQLSchema,
): boolean {
  const root = sent.operation === undefined ? undefined : schema.getRootType(sent.operation)?.getFields();
  return errors.some(({ details: { steps, entity } }) => {
    if (steps === undefined) return true;
    if (entity !== undefined) return false;
    return steps[0]?.names?.some((name) => isNonNullType(root?.[name]?.type)) === true;
  });
}

/** For the positions of a fetch that are null although none of its errors concerns them. */
export function unexplainedNulls(fetch: SubgraphFetch): SubgraphError {
  const { subgraph } = fetch;
  const code = 'DOWNSTREAM_SERVICE_ERROR' satisfies GatewayErrorCode;
  return new SubgraphError(
    fetch,
    { code, isFailure: false, isWholePath: false, isForTheRest: true },
    { message: errorMessage(subgraph), extensions: { code, service: subgraph } },
  );
}
