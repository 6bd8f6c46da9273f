import type { ServerResponse } from 'node:http';

import { type BodyErrorCode, sendJson } from '@behalf/http';

/** Requests that no operation is read from. */
const REFUSALS = Object.freeze({
  NOT_FOUND: { status: 404, message: 'The subgraph does not have this address' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'The address does not support the method' },
  BAD_REQUEST: {
    status: 400,
    message: 'The body is not JSON, or the query is not UTF-8 in percent-encoding',
  },
  BODY_TOO_LARGE: { status: 413, message: 'The body is larger than any real request' },
  BODY_TIMEOUT: { status: 408, message: 'The body did not arrive in time' },
  BODY_ABORTED: { status: 400, message: 'The body did not arrive completely' },
  INTERNAL_SERVER_ERROR: { status: 500, message: 'Internal server error' },
} satisfies Record<BodyErrorCode, unknown> &
  Record<string, { readonly status: number; readonly message: string }>);

export type RefusalCode = keyof typeof REFUSALS;
type Headers = Readonly<Record<string, string>>;

/** Refuses in GraphQL's form, so that a gateway can read it. */
export function refuseOperation(response: ServerResponse, code: RefusalCode, headers: Headers = {}): void {
  const { message, status } = REFUSALS[code];
  const all = { 'cache-control': 'no-store', ...headers };
  sendJson(response, status, { errors: [{ message, extensions: { code } }] }, all);
}

/** Refuses at an address that does not speak GraphQL. */
export function refuseHttp(response: ServerResponse, code: RefusalCode, headers: Headers = {}): void {
  const { message, status } = REFUSALS[code];
  sendJson(response, status, { error: code, message }, { 'cache-control': 'no-store', ...headers });
}
