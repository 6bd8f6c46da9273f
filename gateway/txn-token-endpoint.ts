import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody, sendJson } from '@behalf/http';
import { MAX_BODY_BYTES } from './http/body.js';
import { refuseHttp } from './http/refuse-http.js';
import type { ProtectedGateway } from './protect-gateway.js';

/** Address of workloads' token exchanges; it exists only if the configuration names workloads. */
export const TXN_TOKEN_PATH = '/txn-token';

const FORM_CONTENT = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** `POST /txn-token` (RFC 8693 section 2), for workloads that show their own credentials. */
export async function answerWorkload(
  request: IncomingMessage,
  response: ServerResponse,
  gateway: ProtectedGateway,
): Promise<void> {
  response.setHeader('cache-control', 'no-store');
  if (request.method !== 'POST') {
    refuseHttp(response, 'METHOD_NOT_ALLOWED', { allow: 'POST' });
    return;
  }
  if (!FORM_CONTENT.test(request.headers['content-type'] ?? '')) {
    refuseHttp(response, 'UNSUPPORTED_MEDIA_TYPE', { connection: 'close' });
    return;
  }
  const body = await readBody(request, { maxBytes: MAX_BODY_BYTES });
  const answer = await gateway.exchangeTxnToken({
    authorization: request.headersDistinct.authorization ?? [],
    form: new URLSearchParams(body.toString()),
  });
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  sendJson(response, answer.status, answer.body);
}
