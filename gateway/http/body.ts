import type { IncomingMessage } from 'node:http';
import { parseRequestJson } from '../exact/request.js';

/** Larger than any real GraphQL request. */
export const MAX_BODY_BYTES = 256 * 1024;

/**
 * The body of a POST. Anything except JSON stays text, which Apollo Server refuses: another site's form can send text, but JSON
 * needs a preflight request (CSRF). Apollo Server also answers a body that is not a JSON object.
 */
export function parseJson(request: IncomingMessage, body: Buffer): unknown {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return body.toString();
  try {
    // Numbers in variables stay text until their types are known.
    return parseRequestJson(body.toString());
  } catch {
    return body.toString();
  }
}
