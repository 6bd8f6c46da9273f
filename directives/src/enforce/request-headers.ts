import type { IncomingHttpHeaders } from 'node:http';
import { DirectiveError } from '../errors.js';
import { isRecord } from '../is-record.js';

/** `Headers` of the Fetch standard, Node's or a server's own. */
export interface FetchHeaders {
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

/** Names that a request has and that no header has as Node or the Fetch standard write it: their owner passed the wrong part. */
const REQUEST_MEMBERS = [
  'rawHeaders',
  'rawTrailers',
  'headersDistinct',
  'trailersDistinct',
  'multiValueHeaders',
  'httpVersion',
  'statusCode',
  'txnToken',
] as const;

type HeaderValue = string | readonly string[] | undefined;

/** The value of a header, by its name in lower case. A list if the header is repeated. */
export type HeaderReader = (name: string) => HeaderValue;

/**
 * Reads the headers of one request.
 *
 * @throws {DirectiveError} `UNREADABLE_HEADERS` for anything that is not {@link RequestHeaders}: treating it as a request
 * without a token would silently deny everybody
 */
export function headerReader(request: unknown): HeaderReader {
  if (isResponse(request)) refuse('this is a response');
  const headers = isObject(request) && isRequest(request) ? request.headers : request;
  if (isFetchHeaders(headers)) return (name) => headers.get(name) ?? undefined;
  if (!isRecord(headers)) refuse('this is not an object of headers');
  const member = REQUEST_MEMBERS.find((name) => Object.hasOwn(headers, name));
  if (member !== undefined) refuse(`"${member}" is not a header, but a part of a request`);
  // Node writes names in lower case. Others may not, and a name in two spellings is a repeated header.
  const values = new Map<string, string[]>();
  for (const [given, value] of Object.entries(headers)) {
    // An object around the request, such as Apollo Server's { req, res }, would otherwise count as a request without headers.
    if (!isHeaderValue(value)) refuse(`the header "${given}" is not a string`);
    if (value === undefined) continue;
    const name = given.toLowerCase();
    const all = values.get(name) ?? [];
    if (typeof value === 'string') all.push(value);
    else all.push(...value);
    values.set(name, all);
  }
  return (name) => {
    const all = values.get(name) ?? [];
    return all.length > 1 ? all : all[0];
  };
}

/** Also a request whose headers are missing: they may not be taken for headers of which one is named "headers". */
function isRequest(object: Readonly<Record<string, unknown>>): boolean {
  if (!('headers' in object)) return false;
  const isHeader = object.headers !== undefined && isHeaderValue(object.headers);
  return !isHeader || Object.keys(object).length === 1;
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

/** A class instance as well as an object: requests and `Headers` are of a class. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The Fetch standard's, or the one that Node's client receives: its headers came from another server. */
function isResponse(value: unknown): boolean {
  return isObject(value) && (typeof value.ok === 'boolean' || typeof value.statusCode === 'number');
}

function isFetchHeaders(value: unknown): value is FetchHeaders {
  if (!isObject(value)) return false;
  // URLSearchParams and FormData have all of these methods, and one that no headers have.
  if ('getAll' in value) return false;
  return [value.get, value.has, value.append].every((method) => typeof method === 'function');
}
