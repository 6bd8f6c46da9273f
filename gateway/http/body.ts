import type { IncomingMessage } from 'node:http';
import { parseRequestJson } from '../exact/request.js';

/** The largest body that a GraphQL request has reason to have. */
export const MAX_BODY_BYTES = 256 * 1024;

/**
 * The body of a POST. Anything but JSON stays text, which Apollo Server refuses: a form on another site can send text, but JSON
 * needs a preflight request (CSRF). Apollo Server also answers a body that is not a JSON object.
 */
export function parseJson(request: IncomingMessage, body: Buffer): unknown {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return body.toString();
  try {
    // The numbers of variables stay text until the type of each place is known.
    return parseRequestJson(body.toString());
  } catch {
    return body.toString();
  }
}
