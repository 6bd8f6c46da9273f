import { isSpanContextValid, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { graphqlRequestHash } from '../claims/request-hash.js';
import { TXN_TOKEN_HEADER } from '../claims/txn-token.js';
import { PassOnError } from '../errors.js';
import { requestStateOf } from './request-state.js';

export interface PassOnTarget {
  /** The subgraph or service that is called, by the name under which the gateway knows it. */
  readonly audience: string;
  /**
   * The GraphQL request that will be sent, `{ query, variables, operationName }`: the token is then good for that request
   * alone, once. Needed for subgraphs where the gateway binds tokens.
   */
  readonly request?: unknown;
}

/**
 * Exchanges the transaction token of a request for one that another protected service accepts (RFC 8693): for the same transaction
 * and person, with no more than this one says, and for no longer. The gateway must allow this subgraph that audience.
 *
 * A token that is not bound to a request is asked for once per audience, and then reused until the request ends.
 *
 * @param context The context value of the request, made by `protectedContext`.
 * @throws {PassOnError}
 *
 * @example
 * ```ts
 * import { exchangeTxnToken, type ProtectedContext } from '@behalf/directives';
 *
 * export async function entries(_source: unknown, _args: unknown, context: ProtectedContext): Promise<unknown> {
 *   const token = await exchangeTxnToken(context, { audience: 'ledger' });
 *   const response = await fetch('https://ledger.example/entries', { headers: { 'txn-token': token } });
 *   return response.json();
 * }
 * ```
 */
export async function exchangeTxnToken(
  context: unknown,
  { audience, request }: PassOnTarget,
): Promise<string> {
  const state = requestStateOf(context);
  if (state?.caller.txnToken === undefined) throw new PassOnError('TXN_TOKEN_NOTHING_TO_PASS_ON');
  const { txnToken, exchange } = state.caller;
  if (exchange === undefined) throw new PassOnError('TXN_TOKEN_EXCHANGE_NOT_CONFIGURED');
  if (request !== undefined) {
    const hash = graphqlRequestHash(request);
    if (hash === undefined) throw new PassOnError('TXN_TOKEN_EXCHANGE_REFUSED');
    return exchange.exchange(txnToken, audience, hash);
  }
  let asked = state.passedOn.get(audience);
  if (asked === undefined) {
    asked = exchange.exchange(txnToken, audience, undefined);
    state.passedOn.set(audience, asked);
    // One that failed may be asked for again.
    asked.catch(() => state.passedOn.delete(audience));
  }
  return asked;
}

/**
 * The headers for a call to another protected service in the same transaction: its transaction token (see
 * {@link exchangeTxnToken}), and the trace. A caller without a delegation has no token to pass on; the service is then called
 * without one.
 *
 * @throws {PassOnError}
 *
 * @example
 * ```ts
 * import { txnTokenHeaders, type ProtectedContext } from '@behalf/directives';
 *
 * export async function entries(_source: unknown, _args: unknown, context: ProtectedContext): Promise<unknown> {
 *   const headers = await txnTokenHeaders(context, { audience: 'ledger' });
 *   const response = await fetch('https://ledger.example/entries', { headers });
 *   return response.json();
 * }
 * ```
 */
export async function txnTokenHeaders(
  context: unknown,
  target: PassOnTarget,
): Promise<Readonly<Record<string, string>>> {
  const state = requestStateOf(context);
  const traceparent = state === undefined ? undefined : traceparentOf(state.parent);
  return {
    ...(state?.delegation === undefined
      ? {}
      : { [TXN_TOKEN_HEADER]: await exchangeTxnToken(context, target) }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** W3C Trace Context section 3.2. */
function traceparentOf(parent: Context): string | undefined {
  const span = trace.getSpanContext(parent);
  if (span === undefined || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}
