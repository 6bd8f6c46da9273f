import type { IncomingMessage, ServerResponse } from 'node:http';

import { allow } from '../http/methods.js';
import { HttpError } from '../http/respond.js';
import { LIST_TTL_SECONDS, type StatusRegister } from './register.js';

/**
 * Answers `GET /token-status/N` with a status list token (draft-ietf-oauth-status-list-21, section 8.1), publicly and cacheable,
 * because it contains only bits at random places.
 *
 * @throws HttpError 404, 405
 */
export async function answerStatusList(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  statuses: StatusRegister,
): Promise<boolean> {
  const [, number] = /^\/token-status\/(\d{1,4})$/.exec(url.pathname) ?? [];
  if (number === undefined) return false;
  allow(request, 'GET');
  const token = await statuses.publish(Number(number));
  if (token === undefined) throw new HttpError(404, 'NOT_FOUND', 'There is no such list');
  response
    .writeHead(200, {
      'content-type': 'application/statuslist+jwt',
      'cache-control': `public, max-age=${LIST_TTL_SECONDS}`,
      // For validators in browsers, of any origin.
      'access-control-allow-origin': '*',
      'content-length': Buffer.byteLength(token),
      'x-content-type-options': 'nosniff',
    })
    .end(token);
  return true;
}
