import type { GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import type { OperationDefinitionNode } from 'graphql';
import { RefusedError } from '../errors.js';
import type { CostModel, RequestLimits } from '../limit/index.js';
import type { Authenticated } from '../stages/stages.js';

/** Counts one request against its client's rate class, unless that happened before its operation was parsed. */
export async function countRequest(
  authenticated: Authenticated,
  limits: RequestLimits,
): Promise<Authenticated> {
  if (authenticated.isCounted) return authenticated;
  await limits.countRequest(authenticated);
  return { ...authenticated, isCounted: true };
}

/** Refuses an oversized operation before anything is decided or planned, and counts its weight. */
export async function limit(
  authenticated: Authenticated,
  request: GatewayGraphQLRequestContext,
  costs: CostModel,
  limits: RequestLimits,
): Promise<Authenticated> {
  const counted = await countRequest(authenticated, limits);
  // Apollo Server leaves it to the gateway to find that there is no operation, whatever the type says.
  if ((request.operation as OperationDefinitionNode | undefined) === undefined) throw operationUnknown();
  const { document, operation } = request;
  await limits.measure(counted, { document, operation }, request.request.variables ?? {}, costs);
  return counted;
}

function operationUnknown(): RefusedError {
  return new RefusedError({
    code: 'OPERATION_RESOLUTION_FAILURE',
    message: 'The document has no operation of this name, or several and the request names none',
    status: 400,
    reason: 'OPERATION_INVALID',
  });
}
