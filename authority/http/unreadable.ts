import type { Server } from 'node:http';

import { answerUnreadable as answerUnreadableAs } from '@behalf/http/internal';
import type { UnreadableReason } from '@behalf/http/internal';
import type { Cors } from './cors.js';
import { pathOf } from './own-address.js';
import type { HttpErrorCode } from './respond.js';
import { sendJson } from './respond.js';

interface Refusal {
  readonly status: number;
  readonly code: HttpErrorCode;
  readonly message: string;
}

const REFUSALS: Readonly<Record<UnreadableReason | 'EXPECTATION_FAILED', Refusal>> = {
  REQUEST_MALFORMED: { status: 400, code: 'invalid_request', message: 'The request is not valid HTTP' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    message: 'This address does not support the method',
  },
  REQUEST_TIMEOUT: { status: 408, code: 'invalid_request', message: 'The request did not arrive in time' },
  BODY_TOO_LARGE: { status: 413, code: 'invalid_request', message: 'The body is too large' },
  EXPECTATION_FAILED: { status: 417, code: 'invalid_request', message: 'The expectation cannot be met' },
  HEADERS_TOO_LARGE: { status: 431, code: 'invalid_request', message: 'The headers are too large' },
};

/**
 * Answers requests that node:http ends itself as others are refused (RFC 6749 section 5.2), so that a web page can read why.
 *
 * @param cors undefined until the authority is complete
 */
export function answerUnreadable(server: Server, cors: () => Cors | undefined): void {
  answerUnreadableAs(server, {
    answer(reason) {
      const { status, ...refusal } = REFUSALS[reason];
      return { status, body: bodyOf(refusal) };
    },
    headersFor: async (unreadable) => (await cors()?.unreadHeaders(unreadable)) ?? {},
    refuseExpectation(request, response) {
      const { status, ...refusal } = REFUSALS.EXPECTATION_FAILED;
      const send = (): void => sendJson(response, status, bodyOf(refusal), { connection: 'close' });
      const permitted = cors()?.permit(request, response, pathOf(request.url ?? ''));
      // If the store does not answer, the refusal goes without its headers.
      void (permitted ?? Promise.resolve()).then(send, send);
    },
  });
}

function bodyOf({ code, message }: Pick<Refusal, 'code' | 'message'>): object {
  return { error: code, error_description: message };
}
