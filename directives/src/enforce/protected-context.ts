import type { GraphQLSchema } from 'graphql';
import { graphqlRequestHash } from '../claims/request-hash.js';
import type { FactsExtension } from '../record/facts.js';
import { guardOf } from './guard.js';
import type { RequestHeaders } from './request-headers.js';
import { REQUEST_STATE, requestStateOf } from './request-state.js';
import type { ProtectedContext } from './request-state.js';

export type { ProtectedContext };

/**
 * Verifies one request's transaction token, and creates the request's context value. Spread it into your own.
 *
 * A missing or invalid token makes a context without a delegation, which sees only what is `@public`; it never rejects because
 * of the caller's input.
 *
 * @param request the request, or its headers; of Node or of the Fetch standard
 * @param body the parsed body that will be executed, `{ query, variables, operationName }`. A token that is bound to a request
 * (`propagation.bind: body` of the gateway) is valid for exactly this one, once, and never without it.
 * @throws {DirectiveError} `NOT_PROTECTED` for a schema that neither `buildProtectedSubgraph` nor `protectSchema` returned;
 * `UNREADABLE_HEADERS` for anything without headers
 *
 * @example
 * ```ts
 * import { protectedContext, type ProtectedContext } from '@behalf/directives';
 * import type { GraphQLSchema } from 'graphql';
 *
 * interface MyContext extends ProtectedContext {
 *   readonly locale: string;
 * }
 *
 * export async function contextOf(schema: GraphQLSchema, request: Request, body: unknown): Promise<MyContext> {
 *   const base = await protectedContext(schema, request, body);
 *   return { ...base, locale: request.headers.get('accept-language') ?? 'en' };
 * }
 * ```
 */
export async function protectedContext(
  schema: GraphQLSchema,
  request: RequestHeaders,
  body?: unknown,
): Promise<ProtectedContext> {
  const state = await guardOf(schema).open(request, body);
  return { delegation: state.delegation, transactionId: state.caller.transactionId, [REQUEST_STATE]: state };
}

/**
 * Whether a context value belongs to a transaction token that is bound to another request than this one. If so, do not execute
 * it.
 *
 * {@link protectedSubgraphPlugin} calls it for what Apollo Server is about to execute, which by GET, in a batch or for a
 * persisted query is not the HTTP body. Other servers must call it themselves.
 *
 * @param request `{ query, variables, operationName }`
 *
 * @example
 * ```ts
 * import { isBoundElsewhere } from '@behalf/directives';
 * import { graphql, type ExecutionResult, type GraphQLSchema } from 'graphql';
 *
 * export async function execute(schema: GraphQLSchema, query: string, contextValue: unknown): Promise<ExecutionResult> {
 *   if (isBoundElsewhere(contextValue, { query })) throw new Error('The request is not the one that was authorized');
 *   return graphql({ schema, source: query, contextValue });
 * }
 * ```
 */
export function isBoundElsewhere(contextValue: unknown, request: unknown): boolean {
  const boundTo = requestStateOf(contextValue)?.caller.boundTo;
  return boundTo !== undefined && graphqlRequestHash(request) !== boundTo;
}

/**
 * Ends a request's record: emits its spans, and returns the facts for the gateway, under `extensions.behalf` of the response.
 * {@link protectedSubgraphPlugin} does it for Apollo Server; other servers call it once per response, and per event of a
 * subscription: it returns what happened since its last call.
 *
 * @returns for a request whose token was refused, or is missing, only the reason: such a caller learns nothing of the rules beyond
 * their own denials, and the gateway can tell a subgraph that trusts another gateway, or does not get its tokens, from one without
 * this library. Undefined for a context that was not made from a request.
 * @throws {DirectiveError} `NOT_PROTECTED`
 *
 * @example
 * ```ts
 * import { finishProtectedRequest, protectedContext } from '@behalf/directives';
 * import { graphql, type ExecutionResult, type GraphQLSchema } from 'graphql';
 *
 * export async function answer(schema: GraphQLSchema, headers: Headers, body: { query: string }): Promise<ExecutionResult> {
 *   const contextValue = await protectedContext(schema, headers, body);
 *   const result = await graphql({ schema, source: body.query, contextValue });
 *   return { ...result, extensions: { ...result.extensions, behalf: finishProtectedRequest(schema, contextValue) } };
 * }
 * ```
 */
export function finishProtectedRequest(
  schema: GraphQLSchema,
  contextValue: unknown,
): FactsExtension | undefined {
  const { name } = guardOf(schema);
  const state = requestStateOf(contextValue);
  if (state === undefined) return undefined;
  const facts = state.recorder.take({
    subgraph: name,
    parent: state.parent,
    transactionId: state.caller.transactionId,
  });
  const { delegation, refusedToken } = state.caller;
  if (delegation !== undefined) return facts;
  return refusedToken === undefined ? undefined : { v: facts.v, refusedToken };
}
