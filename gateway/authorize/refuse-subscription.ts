import { OperationTypeNode } from 'graphql';
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
