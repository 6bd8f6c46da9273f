import { OperationTypeNode } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { RefusedError } from '../errors.js';
import type { ClientOperation } from './types.js';

/**
 * `@apollo/gateway` executes no subscriptions: the client would get an error without an explanation.
 *
 * @throws {RefusedError} 400 `SUBSCRIPTION_UNSUPPORTED`
 */
export function refuseSubscription({ operation }: ClientOperation): void {
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return;
  throw new RefusedError({
    code: 'SUBSCRIPTION_UNSUPPORTED',
    message: 'This gateway executes queries and mutations only',
    status: 400,
  });
}

/**
 * An operation of a kind that the schema does not have, such as a mutation. Validation lets it pass, and the planner fails on it.
 *
 * @throws {RefusedError} 400 `OPERATION_UNSUPPORTED`
 */
export function refuseMissingRoot({ operation }: ClientOperation, schema: GraphQLSchema): void {
  const kind = operation.operation;
  if (schema.getRootType(kind) !== undefined && schema.getRootType(kind) !== null) return;
  throw new RefusedError({
    code: 'OPERATION_UNSUPPORTED',
    message: `The schema has no ${kind}`,
    status: 400,
  });
}
