import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isMet, isRecord, isStringArray, NO_REQUIREMENT } from '@behalf/directives/internal';
import { readBody, sendJson } from '@behalf/http';
import { isEncoded, MAX_BODY_BYTES } from './http/body.js';
import type { AdministrationOptions } from './config/config.js';
import { tokenRequired } from './authenticate/bearer.js';
import { RefusedError } from './errors.js';
import { bearerChallenge, insufficientUserAuthentication } from './http/challenge.js';
import { refuseHttp } from './http/refuse-http.js';
import type { StepUp } from '@behalf/policy';
import type { IncomingRequest } from './request/incoming-request.js';
import type { GatewayRequest } from './stages/gateway-request.js';
import { supposedDelegation } from './inspect/explain.js';
import type { ExplainInput } from './inspect/explain.js';
import type { ProtectedGateway } from './protect-gateway.js';

export const EXPLAIN_PATH = '/admin/explain';

/** An administrator's request: never a token, only names. */
const BODY_KEYS: readonly string[] = [
  'query',
  'operationName',
  'scopes',
  'purposes',
  'policies',
  'levels',
  'client',
  'anonymous',
];
const JSON_CONTENT = /^application\/json\s*(;|$)/i;

/**
 * `POST /admin/explain`: explains the decision on an operation for a delegation with the names in the body. Nothing is
 * executed.
 *
 * The caller's own token is verified, checked for revocation, and must hold the configured scope (RFC 6750 section 3.1
 * `insufficient_scope`). Only a JSON content type is read, which no other site's form can send. Each use is recorded, and in
 * `required` mode no answer leaves before its record is durable.
 */
export async function answerAdministrator(
  request: IncomingMessage,
  response: ServerResponse,
  gateway: ProtectedGateway,
  { scope }: AdministrationOptions,
  incoming: IncomingRequest,
): Promise<void> {
  response.setHeader('cache-control', 'no-store');
  if (request.method !== 'POST') {
    refuseHttp(response, 'METHOD_NOT_ALLOWED', { allow: 'POST' });
    return;
  }
  if (!JSON_CONTENT.test(request.headers['content-type'] ?? '')) {
    refuseHttp(response, 'UNSUPPORTED_MEDIA_TYPE', { connection: 'close' });
    return;
  }
  if (isEncoded(request)) {
    const headers = { 'accept-encoding': 'identity', connection: 'close' };
    refuseHttp(response, 'UNSUPPORTED_CONTENT_ENCODING', headers);
    return;
  }
  const begun = gateway.begin(incoming);
  response.setHeader('behalf-transaction', begun.exchange.transactionId);
  try {
    await admit(begun, gateway, scope);
    for (const [name, value] of begun.responseHeaders) response.setHeader(name, value);
    const input = readInput(await readJson(request));
    const result = input === undefined ? undefined : gateway.explain(input);
    if (result === undefined) {
      refuseHttp(response, 'BODY_MALFORMED');
      return;
    }
    if (result.errors !== undefined) {
      refuseHttp(response, 'OPERATION_INVALID', {}, { errors: result.errors });
      return;
    }
    await gateway.pipeline.record(begun, 'explained', undefined, result.operation);
    sendJson(response, 200, result.explanation);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const { code, message, status } = error.refusal;
    // The body may not have been read.
    response.setHeader('connection', 'close');
    for (const [name, value] of error.headers) response.setHeader(name, value);
    sendJson(response, status, { error: code, message });
  } finally {
    await gateway.finish(begun);
  }
}

/** @throws {RefusedError} unless the caller's own token is valid and holds the scope. */
async function admit(begun: GatewayRequest, gateway: ProtectedGateway, scope: string): Promise<void> {
  await gateway.authenticate(begun);
  const { delegation, token } = begun.caller ?? {};
  if (delegation === undefined) throw await gateway.pipeline.refuse(begun, tokenRequired());
  if (!isMet({ ...NO_REQUIREMENT, authenticated: true, scopes: [[[scope]]] }, delegation)) {
    const stepUp = token?.withheld?.get(scope);
    const refusal = stepUp === undefined ? insufficientScope(scope) : signInTooWeak(stepUp);
    throw await gateway.pipeline.refuse(begun, refusal);
  }
}

/** RFC 6750 section 3.1. */
function insufficientScope(scope: string): RefusedError {
  return new RefusedError({
    code: 'INSUFFICIENT_SCOPE',
    message: 'The access token does not hold the scope that this needs',
    status: 403,
    headers: new Map([
      ['www-authenticate', bearerChallenge({ error: 'insufficient_scope', scopes: [scope] })],
    ]),
  });
}

/** RFC 9470 section 3: the scope was granted, and counts once the person has signed in again. */
function signInTooWeak(stepUp: StepUp): RefusedError {
  return new RefusedError({
    code: 'INSUFFICIENT_USER_AUTHENTICATION',
    message: 'The person has to sign in again',
    status: 401,
    headers: new Map([['www-authenticate', insufficientUserAuthentication(stepUp)]]),
  });
}

/** Undefined for an invalid request. An unknown key is refused, because its sender relies on it. */
function readInput(body: unknown): ExplainInput | undefined {
  if (!isRecord(body) || Object.keys(body).some((key) => !BODY_KEYS.includes(key))) return undefined;
  const { query, operationName, scopes, purposes, policies, levels, client, anonymous } = body;
  if (typeof query !== 'string') return undefined;
  if (operationName !== undefined && typeof operationName !== 'string') return undefined;
  for (const names of [scopes, purposes, policies]) {
    if (names !== undefined && !isStringArray(names)) return undefined;
  }
  if (client !== undefined && (typeof client !== 'string' || client === '')) return undefined;
  if (levels !== undefined && !(isRecord(levels) && Object.values(levels).every(isStringArray)))
    return undefined;
  const held = { scopes, purposes, policies, levels, client } as Parameters<typeof supposedDelegation>[0];
  const isNamed = Object.values(held).some((names) => names !== undefined);
  if (anonymous !== undefined && (typeof anonymous !== 'boolean' || (anonymous && isNamed))) return undefined;
  return {
    query,
    operationName,
    delegation: isNamed || anonymous === false ? supposedDelegation(held) : undefined,
  };
}

/** @returns undefined for a body that is not JSON. @throws {BodyError} */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, { maxBytes: MAX_BODY_BYTES });
  if (!isUtf8(body)) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
