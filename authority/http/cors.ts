import type { IncomingMessage, ServerResponse } from 'node:http';

import { originsOf, targetOf } from '@behalf/http/internal';
import type { UnreadableRequest } from '@behalf/http/internal';
import { pathOf } from './own-address.js';

/** The addresses that web pages call, with the methods of each. Status lists are open to every page (status/route.ts). */
const ADDRESSES: ReadonlyMap<string, string> = new Map([
  ['/token', 'POST'],
  ['/token/revocation', 'POST'],
  ['/request', 'POST'],
  ['/jwks', 'GET, HEAD'],
  ['/.well-known/oauth-authorization-server', 'GET, HEAD'],
  ['/.well-known/openid-configuration', 'GET, HEAD'],
]);

const REQUEST_HEADERS = 'Authorization, DPoP, Content-Type';
const RESPONSE_HEADERS = 'DPoP-Nonce, WWW-Authenticate, Retry-After';

const VARY = { vary: 'Origin' };

/** Short, so that an origin that was removed is soon refused by browsers as well. */
const PREFLIGHT_MAX_AGE_SECONDS = 600;

/**
 * Cross-origin requests of web pages (Fetch standard): those from origins of registered clients may read responses. Whether a page
 * may use a client is decided apart from this (`clientBasedCORS`), and it can read that refusal. Credentials that a browser would
 * add, such as cookies, are never permitted.
 */
export class Cors {
  readonly #isRegistered: (origin: string) => Promise<boolean>;
  readonly #permitted = new WeakMap<IncomingMessage, string>();

  /** @param isRegistered whether any client has the origin */
  constructor(isRegistered: (origin: string) => Promise<boolean>) {
    this.#isRegistered = isRegistered;
  }

  /** Decides about a request, once, and sets the headers of its answer. */
  async permit(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (methodsOf(path) === undefined) return;
    const origin = await this.#registered(request.headersDistinct.origin ?? []);
    if (origin !== undefined) this.#permitted.set(request, origin);
    this.setHeaders(request, response, path);
  }

  /** The headers of the answer to a request that node:http could not read, as far as it arrived. */
  async unreadHeaders(unreadable: UnreadableRequest): Promise<Readonly<Record<string, string>>> {
    const target = targetOf(unreadable);
    if (target === undefined || methodsOf(pathOf(target)) === undefined) return {};
    const origin = await this.#registered(originsOf(unreadable));
    return { ...VARY, ...headersFor(origin) };
  }

  /** Several headers are nobody's: which of them a browser meant is unknown. */
  async #registered([origin, ...others]: readonly string[]): Promise<string | undefined> {
    if (origin === undefined || others.length > 0) return undefined;
    return (await this.#isRegistered(origin)) ? origin : undefined;
  }

  /**
   * Answers a preflight, after `permit`.
   *
   * @returns whether it was answered
   */
  answerPreflight(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const methods = methodsOf(path);
    if (methods === undefined || request.method !== 'OPTIONS') return false;
    if (this.#permitted.has(request)) {
      response.removeHeader('access-control-expose-headers');
      response.setHeader('access-control-allow-methods', methods);
      response.setHeader('access-control-allow-headers', REQUEST_HEADERS);
      response.setHeader('access-control-max-age', String(PREFLIGHT_MAX_AGE_SECONDS));
    }
    response.writeHead(204, { allow: `${methods}, OPTIONS` }).end();
    return true;
  }

  /** Sets the headers without which the page cannot read the response, in place of all others of their kind. */
  setHeaders(request: IncomingMessage, response: ServerResponse, path: string): void {
    this.removeHeaders(response);
    if (methodsOf(path) === undefined) return;
    // Also for other origins, or a cache could answer a permitted page with a response that lacks the headers.
    const headers = { ...VARY, ...headersFor(this.#permitted.get(request)) };
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  }

  removeHeaders(response: ServerResponse): void {
    for (const name of response.getHeaderNames()) {
      if (name.startsWith('access-control-')) response.removeHeader(name);
    }
  }
}

function headersFor(origin: string | undefined): Readonly<Record<string, string>> {
  if (origin === undefined) return {};
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': RESPONSE_HEADERS };
}

/** oidc-provider matches its addresses in any case, and with a slash at the end. */
function methodsOf(path: string): string | undefined {
  return ADDRESSES.get(path.toLowerCase().replace(/\/$/, ''));
}
