import type { GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import { Kind } from 'graphql';
import { settleLiterals } from '../exact/input.js';
import type { Authenticated, Prepared } from '../stages/stages.js';

/** The operation as the client sent it, with every number in it exact. */
export function prepare(authenticated: Authenticated, request: GatewayGraphQLRequestContext): Prepared {
  const { document, operation, queryHash, source, schema } = request;
  const settled = settleLiterals(document, source, schema);
  const definition = settled.definitions[document.definitions.indexOf(operation)];
  return {
    ...authenticated,
    operation: {
      document: settled,
      operation: definition?.kind === Kind.OPERATION_DEFINITION ? definition : operation,
      queryHash,
    },
  };
}
