import type { IncomingMessage, ServerResponse } from 'node:http';
import { originProblem } from '@behalf/http';
import { originsOf } from '@behalf/http/internal';
import type { UnreadableRequest } from '@behalf/http/internal';
import { ConfigurationError } from '../errors.js';

/** Key `cors` of the configuration: the web pages that may call the gateway from a browser. */
export interface CorsOptions {
  /** Origins as browsers send them, such as `https://app.example` or `http://localhost:5173`. */
  readonly origins: readonly string[];
}

/** RFC 6750 and RFC 9449 credentials, and the type of a GraphQL request. */
const REQUEST_HEADERS: readonly string[] = ['Authorization', 'DPoP', 'Content-Type'];

/** The headers by which a page obtains a token or a nonce, names a record, and knows when to retry. */
const RESPONSE_HEADERS = 'DPoP-Nonce, WWW-Authenticate, Behalf-Transaction, Behalf-Receipt, Retry-After';

/** Short, so that an origin or method that was removed is soon refused by browsers as well. */
const PREFLIGHT_MAX_AGE_SECONDS = 600;

/**
 * Cross-origin requests of web pages (Fetch standard, "HTTP extensions").
 *
 * This permits pages to read responses, and nothing else: each request is authenticated as before. Tokens are in headers that a
 * page sets itself, so credentials that a browser would add, such as cookies, are never permitted
 * (`Access-Control-Allow-Credentials` is never sent).
 */
export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #requestHeaders: string;

  /**
   * @param requestHeaders that pages may send, in addition to those for tokens and operations
   * @throws {ConfigurationError} for anything but an origin
   */
  constructor({ origins }: CorsOptions, requestHeaders: readonly string[] = []) {
    origins.forEach(requireOrigin);
    this.#origins = new Set(origins);
    const names = [...REQUEST_HEADERS, ...requestHeaders].map((name) => name.toLowerCase());
    const isFirst = (_name: string, index: number): boolean => names.indexOf(names[index] ?? '') === index;
    this.#requestHeaders = [...REQUEST_HEADERS, ...requestHeaders].filter(isFirst).join(', ');
  }

  /** Sets the headers without which the page cannot read the response; of a refusal as well. Call it before anything is sent. */
  setHeaders(request: IncomingMessage, response: ServerResponse): void {
    // Also for other origins, or a cache could answer a permitted page with a response that lacks the headers.
    response.setHeader('vary', 'Origin');
    const headers = this.#headersFor(request.headersDistinct.origin ?? []);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  }

  /**
   * The same headers for a request that node:http could not read, as far as it arrived. A permitted origin is looked for in its
   * text: the refusal is a constant, so nothing is shown to a page that pretends.
   */
  unreadHeaders(unreadable: UnreadableRequest): Readonly<Record<string, string>> {
    return { vary: 'Origin', ...this.#headersFor(originsOf(unreadable)) };
  }

  /**
   * Answers OPTIONS for a permitted origin, which has no credentials and is not authenticated.
   *
   * @param methods of the address
   * @returns whether it was answered
   */
  answerPreflight(request: IncomingMessage, response: ServerResponse, methods: readonly string[]): boolean {
    if (request.method !== 'OPTIONS' || this.#permitted(request.headersDistinct.origin ?? []) === undefined)
      return false;
    response.removeHeader('access-control-expose-headers');
    response
      .writeHead(204, {
        'access-control-allow-methods': methods.join(', '),
        'access-control-allow-headers': this.#requestHeaders,
        'access-control-max-age': String(PREFLIGHT_MAX_AGE_SECONDS),
      })
      .end();
    return true;
  }

  #headersFor(origins: readonly string[]): Readonly<Record<string, string>> {
    const origin = this.#permitted(origins);
    if (origin === undefined) return {};
    return { 'access-control-allow-origin': origin, 'access-control-expose-headers': RESPONSE_HEADERS };
  }

  /** Several headers are nobody's: which of them a browser meant is unknown. */
  #permitted([origin, ...others]: readonly string[]): string | undefined {
    return origin !== undefined && others.length === 0 && this.#origins.has(origin) ? origin : undefined;
  }
}

/** @throws {ConfigurationError} */
function requireOrigin(text: string, index: number, all: readonly string[]): void {
  const problem = originProblem(text) ?? (all.indexOf(text) === index ? undefined : 'is listed twice');
  if (problem !== undefined) throw new ConfigurationError(`cors.origins[${index}]`, problem);
}
