import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { contentCodings } from '../content-codings.js';
import { parseRequestJson } from '../exact/request.js';

/** Larger than any real GraphQL request. */
export const MAX_BODY_BYTES = 256 * 1024;

/**
 * Whether the body is compressed, or encoded otherwise. Such bodies are not read: a few bytes could become more than any bound
 * allows.
 */
export function isEncoded({ headers }: IncomingMessage): boolean {
  return contentCodings(headers['content-encoding']).length > 0;
}

/**
 * The body of a POST. Anything except JSON stays text, which Apollo Server refuses: another site's form can send text, but JSON
 * needs a preflight request (CSRF). Apollo Server also answers a body that is not a JSON object.
 */
export function parseJson(request: IncomingMessage, body: Buffer): unknown {
  const text = body.toString();
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return text;
  // Decoding replaces what is not UTF-8 (RFC 8259 section 8.1), so another operation would run than was sent.
  if (!isUtf8(body)) return text;
  try {
    // Numbers in variables stay text until their types are known.
    return parseRequestJson(text);
  } catch {
    return text;
  }
}
