import { expect } from 'vitest';
import { send } from '../support.js';
import type { Answer, Headers } from '../support.js';

/** A request that a client should not send, and the refusal that it should get. */
export interface HostileRequest {
  readonly method?: string;
  readonly headers?: Headers;
  /** Sent as it is; a string as UTF-8. */
  readonly body?: string | Uint8Array;
  /** Default: that of the endpoint. */
  readonly path?: string;
  readonly status: number;
  readonly code: string;
  /** `Allow`, for a method that is not supported. */
  readonly allow?: string;
}

export const JSON_TYPE: Headers = { 'content-type': 'application/json' };
/** More than the gateway reads. */
export const OVERSIZE = ' '.repeat(256 * 1024 + 1);
/** `{"query":"{ hello(name: \"…\") }"}` with a byte that begins no character. */
export const BROKEN_UTF8: Uint8Array = Buffer.from('{"query":"{ hello(name: \\"\xff\\") }"}', 'latin1');

export function sendHostile(url: string, path: string, hostile: HostileRequest): Promise<Answer> {
  const { method = 'POST', headers = {}, body = '' } = hostile;
  return send(`${url}${hostile.path ?? path}`, body, headers, method);
}

/** The refusal has the form of endpoints that do not speak GraphQL: `{ error, message }`. */
export function expectRefusal(answer: Answer, { status, code, allow }: HostileRequest): void {
  const { error, message, errors } = answer.body as { error?: unknown; message?: unknown; errors?: unknown };
  expect({ status: answer.status, error }).toEqual({ status, error: code });
  expect(typeof message).toBe('string');
  expect(errors).toBeUndefined();
  expect(answer.headers.allow).toBe(allow);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(answer.headers['cache-control']).toBe('no-store');
}

/** HEAD has the headers of GET, and no body (RFC 9110 section 9.3.2). */
export async function expectHeadLikeGet(url: string, headers: Headers = {}): Promise<void> {
  const get = await send(url, '', headers, 'GET');
  const head = await send(url, '', headers, 'HEAD');
  expect(head.text).toBe('');
  expect(head.status).toBe(get.status);
  expect(stable(head)).toEqual(stable(get));
  expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.text)));
}

/** The headers without those that differ for each request. */
function stable({ headers }: Answer): object {
  const { date: _date, 'behalf-transaction': _transaction, 'set-cookie': _cookie, ...others } = headers;
  return others;
}
