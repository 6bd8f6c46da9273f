import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '@behalf/http';
import { requestTarget } from '@behalf/http/internal';
import { httpErrors } from '../errors.js';
import type { HttpErrorCode } from '../errors.js';
import { statusTellsOutcome } from './media-type.js';

/** The address of operations, as clients know it. */
export const OPERATIONS_PATH = '/graphql';
const GRAPHQL_PATHS: readonly string[] = [OPERATIONS_PATH, '/'];

/** Whether operations are sent to the path. */
export function isGraphQLPath(path: string): boolean {
  return GRAPHQL_PATHS.includes(path);
}

type Headers = Readonly<Record<string, string>>;
/** Further members of a refusal, for the client. */
type Details = Readonly<Record<string, unknown>>;

/** Caches may keep a 404 and a 405 without being told (RFC 9110 section 15.1). */
const UNCACHED: Headers = { 'cache-control': 'no-store' };

/** Refuses a request at an address that does not speak GraphQL: `{ error, message }`. */
export function refuseHttp(
  response: ServerResponse,
  code: HttpErrorCode,
  headers: Headers = {},
  details: Details = {},
): void {
  const { description: message, status } = httpErrors[code];
  sendJson(response, status, { error: code, message, ...details }, { ...UNCACHED, ...headers });
}

/** Refuses a request for an operation before the pipeline sees it, in GraphQL's form, so that every client can read it. */
export function refuseOperation(
  request: IncomingMessage,
  response: ServerResponse,
  code: HttpErrorCode,
  headers: Headers = {},
  details: Details = {},
): void {
  const { description: message, status } = httpErrors[code];
  const type = statusTellsOutcome(request.headers.accept)
    ? 'application/graphql-response+json'
    : 'application/json';
  const errors = [{ message, extensions: { ...details, code } }];
  const all = { 'content-type': `${type}; charset=utf-8`, ...UNCACHED, ...headers };
  sendJson(response, status, { errors }, all);
}

/** Refuses a request at any address of the gateway, in the form that the address speaks. */
export function refuseAnywhere(
  request: IncomingMessage,
  response: ServerResponse,
  code: HttpErrorCode,
  headers: Headers,
): void {
  if (isGraphQLPath(requestTarget(request).path)) refuseOperation(request, response, code, headers);
  else refuseHttp(response, code, headers);
}
