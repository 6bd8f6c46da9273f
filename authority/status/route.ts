import type { IncomingMessage, ServerResponse } from 'node:http';

import { HttpError } from '../http/respond.js';
import { LIST_TTL_SECONDS, type StatusRegister } from './register.js';

/**
 * Answers `GET /token-status/N` with a status list token (draft-ietf-oauth-status-list-21, section 8.1), to anybody and to be
 * kept: what it tells is bits at places that nobody can tell apart.
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
  if (request.method !== 'GET') {
    throw new HttpError(405, 'method_not_allowed', 'Not a method of this address', { allow: 'GET' });
  }
  const token = await statuses.publish(Number(number));
  if (token === undefined) throw new HttpError(404, 'not_found', 'There is no such list');
  response
    .writeHead(200, {
      'content-type': 'application/statuslist+jwt',
      'cache-control': `public, max-age=${LIST_TTL_SECONDS}`,
      // Validators in browsers, of any origin.
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    })
    .end(token);
  return true;
}
