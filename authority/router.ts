import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Clock } from '@behalf/directives';
import { isGetOrHead } from '@behalf/http';
import { type Health, healthAnswer } from '@behalf/http/internal';
import type { Shutdown } from '@behalf/http/internal';
import type { Log } from '@behalf/store';
import { explainError } from './oidc/explain-error.js';
import { errors } from './oidc/oidc-provider.js';
import type { SsfTransmitter } from './ssf/transmitter.js';
import type { Cors } from './http/cors.js';
import { allow } from './http/methods.js';
import { addressToIssuer } from './http/own-address.js';
import { prefersPage } from './http/prefers-page.js';
import { HttpError, sendJson } from './http/respond.js';
import type { InteractionRoutes } from './interaction/routes.js';
import { SIGN_OUT_PATH, type SignOut } from './interaction/sign-out.js';
import { SEND_FORM_PATH, SEND_FORM_SCRIPT } from './pages/continue.js';
import type { Languages } from './language/languages.js';
import { languageOf, parametersOf } from './language/request-language.js';
import { renderErrorPage } from './pages/error.js';
import type { SigningKeyRing } from './keys/ring.js';
import type { RotatingProvider } from './oidc/rotating-provider.js';
import { sendPage, setPageHeaders } from './pages/headers.js';
import { STYLE } from './pages/style.js';
import { databaseReadiness, needsWrites } from './readiness.js';
import type { StatusRegister } from './status/register.js';
import { answerStatusList } from './status/route.js';
import type { AuthorityDatabase } from './schema.js';

const CLOSE = { connection: 'close' };

/** oidc-provider's path, which it matches case-insensitively. */
const JWKS_PATH = '/jwks';

/** @see createRouter */
export interface RouterOptions {
  readonly issuer: string;
  readonly db: AuthorityDatabase;
  readonly cors: Cors;
  readonly oauth: RotatingProvider;
  readonly keys: SigningKeyRing;
  readonly interactions: InteractionRoutes;
  readonly signOut: SignOut;
  readonly languages: Languages;
  readonly transmitter: SsfTransmitter;
  readonly statuses: StatusRegister;
  readonly shutdown: Pick<Shutdown, 'isDraining'>;
  readonly log: Log;
  readonly clock: Clock;
}

/** Routes requests: health, style, status lists, change stream and pages; oidc-provider handles the rest. */
export function createRouter(
  options: RouterOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { cors, interactions, keys, oauth, shutdown, statuses, transmitter } = options;
  const issuer = new URL(options.issuer);
  const readiness = databaseReadiness(options.db, needsWrites, options.clock);
  const health: Health = { problems: () => readiness.problems(), shutdown };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // RFC 9112 section 3.2; node:http would refuse it without a body.
    const lacksHost = request.httpVersion === '1.1' && request.headers.host === undefined;
    const url = addressToIssuer(request, issuer);
    await cors.permit(request, response, url.pathname);
    if (lacksHost) throw new HttpError(400, 'invalid_request', 'The request has no Host', CLOSE);
    if (cors.answerPreflight(request, response, url.pathname)) return;
    if (await answerHealth(url.pathname, request, response, health)) return;
    if (url.pathname === '/style.css') sendFile(request, response, 'text/css', STYLE);
    else if (url.pathname === SEND_FORM_PATH)
      sendFile(request, response, 'text/javascript', SEND_FORM_SCRIPT);
    else if (await answerStatusList(request, response, url, statuses)) return;
    else if (await transmitter.handle(request, response, url)) return;
    else if (await interactions.handle(request, response, url)) return;
    else if (await options.signOut.handle(request, response, url)) return;
    else {
      // Every instance answers with the current keys; if the store is unavailable, with the last known ones. Revoked keys are
      // refused by name as well.
      if (url.pathname.toLowerCase() === JWKS_PATH) await keys.refresh().catch(() => undefined);
      await oauth.handler(request, response);
      if (!response.writableEnded) throw unanswered(response.statusCode);
    }
  };
  return (request, response) => {
    answer(request, response).catch((error: unknown) => refuse(request, response, error, options));
  };
}

/** @returns whether the path is one of health. @throws HttpError 405 */
async function answerHealth(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  health: Health,
): Promise<boolean> {
  const answer = healthAnswer(path, health);
  if (answer === undefined) return false;
  allow(request, 'GET');
  await answer(response);
  return true;
}

/** Sends a file that pages load. */
function sendFile(request: IncomingMessage, response: ServerResponse, type: string, text: string): void {
  allow(request, 'GET');
  response
    .writeHead(200, {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'public, max-age=300',
      'content-length': Buffer.byteLength(text),
      'x-content-type-options': 'nosniff',
    })
    .end(text);
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  { languages, log }: Pick<RouterOptions, 'languages' | 'log'>,
): void {
  const refusal = toRefusal(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  // The unread rest of the request is not awaited.
  if (!request.complete) response.setHeader('connection', 'close');
  if (!isPage(request)) {
    sendJson(response, refusal.status, { error: refusal.code, error_description: refusal.message });
    return;
  }
  setPageHeaders(response);
  response.statusCode = refusal.status;
  const view = explainError(error instanceof errors.OIDCProviderError ? error : refusal);
  const parameters = isGetOrHead(request) ? parametersOf(request) : undefined;
  sendPage(response, renderErrorPage(languageOf(languages, request), view, parameters));
}

function isPage(request: IncomingMessage): boolean {
  const { url = '' } = request;
  return url.startsWith('/interaction/') || url.split('?')[0] === SIGN_OUT_PATH || prefersPage(request);
}

/** The error for a request that oidc-provider left to its caller: see `leaveUnanswered`. */
function unanswered(status: number): HttpError {
  if (status === 404) return new HttpError(404, 'NOT_FOUND', 'There is nothing at this address');
  return new HttpError(500, 'server_error', 'Something went wrong');
}

function toRefusal(error: unknown, log: Log): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof errors.OIDCProviderError) {
    return new HttpError(
      error.statusCode,
      // One of an OAuth specification, all of which are in lower case.
      error.error as Lowercase<string>,
      error.error_description ?? 'The request cannot be completed',
    );
  }
  log.log('error', 'REQUEST_HANDLING_FAILED', { error: error instanceof Error ? error.name : 'unknown' });
  return new HttpError(500, 'server_error', 'Something went wrong');
}
