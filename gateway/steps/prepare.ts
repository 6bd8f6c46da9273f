import type { GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import { Kind } from 'graphql';
import { chosenOperation } from '../authorize/index.js';
import { settleLiterals } from '../exact/input.js';
import type { Authenticated, Prepared } from '../stages/stages.js';

/** The operation that the client chose, as it was sent, with every number in it exact. */
export function prepare(authenticated: Authenticated, request: GatewayGraphQLRequestContext): Prepared {
  const { document, operation, queryHash, source, schema } = request;
  const settled = settleLiterals(document, source, schema);
  const definition = settled.definitions[document.definitions.indexOf(operation)];
  return {
    ...authenticated,
    operation: chosenOperation({
      document: settled,
      operation: definition?.kind === Kind.OPERATION_DEFINITION ? definition : operation,
      queryHash,
    }),
  };
}
