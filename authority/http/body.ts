import type { IncomingMessage } from 'node:http';

import { HttpError } from './respond.js';

/**
 * Reads a body of bounded size.
 *
 * @throws HttpError 413
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes)
      throw new HttpError(413, 'invalid_request', `The body exceeds ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Reads a JSON object.
 *
 * @throws HttpError 400, 413, 415
 */
export async function readJsonObject(
  request: IncomingMessage,
  limitBytes: number,
): Promise<Record<string, unknown>> {
  if (mediaType(request) !== 'application/json') {
    throw new HttpError(415, 'invalid_request', 'The body must be application/json');
  }
  const text = await readBody(request, limitBytes);
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // Told below.
  }
  throw new HttpError(400, 'invalid_request', 'The body must be a JSON object');
}

/**
 * Reads a submitted form.
 *
 * @throws HttpError 413, 415
 */
export async function readForm(request: IncomingMessage, limitBytes: number): Promise<URLSearchParams> {
  if (mediaType(request) !== 'application/x-www-form-urlencoded') {
    throw new HttpError(415, 'invalid_request', 'The body must be a form');
  }
  return new URLSearchParams(await readBody(request, limitBytes));
}

function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
