import type { ServerResponse } from 'node:http';

import { sendJson as sendPlainJson } from '@behalf/http';
import type { AuthorityRequestErrorCode } from './errors.js';

/** A code of this authority, or one that an OAuth specification defines, such as `invalid_request`. */
export type HttpErrorCode = AuthorityRequestErrorCode | Lowercase<string>;

/** A refusal with its HTTP status. The message is sent to the caller. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: HttpErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: HttpErrorCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Answers with JSON that must not be cached. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendPlainJson(response, status, body, { 'cache-control': 'no-store', ...headers });
}
