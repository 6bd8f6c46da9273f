import type { IncomingHttpHeaders } from 'node:http';
import { DirectiveError } from '../errors.js';

/** `Headers` of the Fetch standard, Node's or a server's own. */
interface FetchHeaders {
  get(name: string): string | null;
  has(name: string): boolean;
  append(name: string, value: string): void;
}

/**
 * The headers of one request, or a request with them: `IncomingHttpHeaders` and `IncomingMessage` of Node (hence of Express,
 * Fastify and Koa), `Headers` and `Request` of the Fetch standard (hence of Yoga, Hono and Next.js).
 */
export type RequestHeaders =
  IncomingHttpHeaders | FetchHeaders | { readonly headers: IncomingHttpHeaders | FetchHeaders };

type HeaderValue = string | readonly string[] | undefined;

/**
 * Looks up a header by its lower-case name.
 *
 * @throws {DirectiveError} `UNREADABLE_HEADERS` for anything that is not {@link RequestHeaders}: treating it as a request
 * without a token would silently deny everybody
 */
export function headerReader(request: unknown): (name: string) => HeaderValue {
  const headers = isRecord(request) && isRecord(request.headers) ? request.headers : request;
  if (isFetchHeaders(headers)) return (name) => headers.get(name) ?? undefined;
  if (!isPlain(headers)) refuse('this is not an object of headers');
  for (const [name, value] of Object.entries(headers)) {
    // An object around the request, such as Apollo Server's { req, res }, would otherwise count as a request without headers.
    if (!isHeaderValue(value)) refuse(`the header "${name}" is not a string`);
  }
  return (name) => valueOf(headers as Readonly<Record<string, HeaderValue>>, name);
}

/** Node writes names in lower case. Others may not, and a name in two spellings is a repeated header. */
function valueOf(headers: Readonly<Record<string, HeaderValue>>, name: string): HeaderValue {
  const values: string[] = [];
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() !== name || value === undefined) continue;
    if (typeof value === 'string') values.push(value);
    else values.push(...value);
  }
  return values.length > 1 ? values : values[0];
}

function isHeaderValue(value: unknown): value is HeaderValue {
  if (value === undefined || typeof value === 'string') return true;
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function refuse(problem: string): never {
  throw new DirectiveError(
    'UNREADABLE_HEADERS',
    `${problem}; pass the headers as Node or the Fetch standard have them, or the request that they came with`,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFetchHeaders(value: unknown): value is FetchHeaders {
  if (!isRecord(value)) return false;
  return [value.get, value.has, value.append].every((method) => typeof method === 'function');
}

/** An object that only has its own properties, of this realm or another. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
