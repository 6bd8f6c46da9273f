import type { IncomingMessage } from 'node:http';
import { parseRequestJson } from '../exact/request.js';

const MAX_BODY_BYTES = 256 * 1024;

/** The whole body, or undefined when it is larger than what a GraphQL request has reason to be. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * What a POST brought. A body of any type but JSON stays text, which Apollo Server refuses: a form of another site can send
 * text, and a preflight request stands before JSON (CSRF). It answers for a body that is no JSON object as well.
 */
export function parseJson(request: IncomingMessage, body: Buffer): unknown {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return body.toString();
  try {
    // Numbers of variables are settled when it is known what they stand for.
    return parseRequestJson(body.toString());
  } catch {
    return body.toString();
  }
}
