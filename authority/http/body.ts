import type { IncomingMessage } from 'node:http';

import { BodyError, readBody } from '@behalf/http';
import { HttpError } from './respond.js';

/**
 * Reads a JSON object.
 *
 * @throws HttpError 400, 408, 413, 415
 */
export async function readJsonObject(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Record<string, unknown>> {
  if (mediaType(request) !== 'application/json') {
    throw new HttpError(415, 'invalid_request', 'The body must be application/json');
  }
  const text = await readText(request, maxBytes);
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // Refused below.
  }
  throw new HttpError(400, 'invalid_request', 'The body must be a JSON object');
}

/**
 * Reads a submitted form.
 *
 * @throws HttpError 400, 408, 413, 415
 */
export async function readForm(request: IncomingMessage, maxBytes: number): Promise<URLSearchParams> {
  if (mediaType(request) !== 'application/x-www-form-urlencoded') {
    throw new HttpError(415, 'invalid_request', 'The body must be a form');
  }
  return new URLSearchParams(await readText(request, maxBytes));
}

async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  try {
    return (await readBody(request, { maxBytes })).toString('utf8');
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    throw new HttpError(error.status, 'invalid_request', messageOf(error, maxBytes));
  }
}

function messageOf({ code }: BodyError, maxBytes: number): string {
  switch (code) {
    case 'BODY_TOO_LARGE':
      return `The body exceeds ${maxBytes} bytes`;
    case 'BODY_TIMEOUT':
      return 'The body did not arrive in time';
    case 'BODY_ABORTED':
      return 'The body is incomplete';
  }
}

function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
