import { isSpanContextValid, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { graphqlRequestHash } from '../claims/request-hash.js';
import { TXN_TOKEN_HEADER } from '../claims/txn-token.js';
import { PassOnError } from '../errors.js';
import { requestStateOf } from './request-state.js';
import { withoutUndefined } from '../without-undefined.js';

/** The service that is called in the same transaction, see {@link txnTokenHeaders}. */
export interface PassOnTarget {
  /** The called subgraph or service, by its name at the gateway. */
  readonly audience: string;
  /**
   * The GraphQL request to be sent, `{ query, variables, operationName }`: the token is then valid for that request only, once.
   * Needed for subgraphs of a gateway that binds tokens.
   */
  readonly request?: unknown;
}

/**
 * Exchanges a request's transaction token for one that another protected service accepts (RFC 8693): for the same transaction
 * and person, with no more rights, and no longer. The gateway must permit this subgraph that audience.
 *
 * An unbound token is requested once per audience, and then reused until the request ends.
 *
 * @param context the request's context value from `protectedContext`
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
    // A failed one may be requested again.
    asked.catch(() => state.passedOn.delete(audience));
  }
  return asked;
}

/**
 * The headers for a call to another protected service in the same transaction: its transaction token (see {@link
 * exchangeTxnToken}), and the trace. For an anonymous caller there is no token to pass on; the service is then called without
 * one.
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
  return withoutUndefined({
    [TXN_TOKEN_HEADER]: state?.delegation === undefined ? undefined : await exchangeTxnToken(context, target),
    traceparent,
  });
}

/** W3C Trace Context section 3.2. */
function traceparentOf(parent: Context): string | undefined {
  const span = trace.getSpanContext(parent);
  if (span === undefined || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}
