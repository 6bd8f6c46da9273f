import type { IncomingMessage } from 'node:http';

/**
 * Whether a request asks for GET's answer: by GET, or by HEAD, which omits the body (RFC 9110 section 9.3.2). `node:http` leaves
 * the body out by itself; set its `content-length` for both.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { isGetOrHead, sendJson } from '@behalf/http';
 *
 * createServer((request, response) => {
 *   if (isGetOrHead(request)) sendJson(response, 200, { status: 'ok' });
 *   else sendJson(response, 405, { error: 'METHOD_NOT_ALLOWED' }, { allow: 'GET, HEAD' });
 * });
 * ```
 */
export function isGetOrHead({ method }: Pick<IncomingMessage, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD';
}
