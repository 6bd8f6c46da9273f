import type { ServerResponse } from 'node:http';

/**
 * Answers with JSON that browsers do not take for anything else. Headers that were set before are kept.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { sendJson } from '@behalf/http';
 *
 * createServer((_request, response) => sendJson(response, 404, { error: 'not_found' }));
 * ```
 */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      ...headers,
    })
    .end(JSON.stringify(body));
}
