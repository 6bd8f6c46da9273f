import type { ServerResponse } from 'node:http';

/**
 * Answers with JSON that browsers do not take for anything else; without the body if HEAD asked for it. Headers that were set
 * before are kept.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { sendJson } from '@behalf/http';
 *
 * createServer((_request, response) => sendJson(response, 404, { error: 'NOT_FOUND' }));
 * ```
 */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      // Stated, because node:http counts nothing for HEAD.
      'content-length': Buffer.byteLength(text),
      'x-content-type-options': 'nosniff',
      ...headers,
    })
    .end(text);
}
