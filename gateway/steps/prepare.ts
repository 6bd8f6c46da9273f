import type { GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import type { DocumentNode } from 'graphql';
import { chosenOperation, editOperation } from '../authorize/index.js';
import { RefusedError } from '../errors.js';
import { InexactLiteralError, settleLiterals } from '../exact/input.js';
import type { Authenticated, Prepared } from '../stages/stages.js';

/** The operation that the client chose, as it was sent, with every number in it exact. @throws {RefusedError} */
export function prepare(authenticated: Authenticated, request: GatewayGraphQLRequestContext): Prepared {
  const { document, operation, queryHash } = request;
  const chosen = chosenOperation({ document, operation, queryHash });
  return { ...authenticated, operation: editOperation(chosen, (whole) => settle(whole, request)) };
}

/** @throws {RefusedError} */
function settle(document: DocumentNode, { source, schema }: GatewayGraphQLRequestContext): DocumentNode {
  try {
    return settleLiterals(document, source, schema);
  } catch (error) {
    if (!(error instanceof InexactLiteralError)) throw error;
    // A server may parse without locations.
    const start = error.node.loc?.startToken;
    const at = start === undefined ? '' : ` at line ${start.line}, column ${start.column}`;
    throw new RefusedError({
      code: 'NUMBER_NOT_EXACT',
      message: `The operation has a Float${at} that is larger than a double can be`,
      status: 400,
    });
  }
}
