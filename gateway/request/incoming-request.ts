import { DirectiveError } from '@behalf/directives';
import { headerReader, isRecord, isStringArray, nearest } from '@behalf/directives/internal';
import type { FetchHeaders, HeaderReader } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';

/**
 * The client's headers: names and values as `node:http` gives them (`headersDistinct` or `headers`), or `Headers` of the Fetch
 * standard.
 */
export type ClientHeaders = Readonly<Record<string, string | readonly string[] | undefined>> | FetchHeaders;

/**
 * The parts of an HTTP request that the gateway reads. A missing part is unknown, and a token that is bound to it is refused.
 */
export interface IncomingRequest {
  /** Every value of the `Authorization` header. */
  readonly authorization: readonly string[];
  /** Every value of the `DPoP` header (RFC 9449). */
  readonly dpop?: readonly string[] | undefined;
  readonly method?: string | undefined;
  /** The full address, as the client knows it: a DPoP proof is for this address only. */
  readonly url?: string | undefined;
  /** DER of the certificate whose key the client has proved to hold (RFC 8705). */
  readonly clientCertificate?: Uint8Array | undefined;
  /** The client's headers, of Node or of the Fetch standard; only those that a subgraph's `forwardHeaders` names are sent to it. */
  readonly headers?: ClientHeaders | undefined;
  /** W3C Trace Context. */
  readonly traceparent?: string | undefined;
  /** Whether the HTTP request holds several operations, so that no single one decides the status. */
  readonly isBatch?: boolean | undefined;
  /** Address of the client, for the audit record. */
  readonly remoteAddress?: string | undefined;
}

const PATH = 'incoming';
/** For a caller whose compiler does not check types, and who passes the request itself, or Apollo Server's `{ req, res }`. */
const WHAT_TO_PASS =
  'pass the parts of the request, such as { authorization: req.headersDistinct.authorization ?? [] }, and not the request itself';

const isText = (value: unknown): boolean => typeof value === 'string';
/** A client may have chosen all but its beginning, and must not cause an error. */
const isAddress = (value: unknown): boolean => typeof value === 'string' && /^https?:\/\/[^/]/i.test(value);
/** Every part but the headers: whether it has its type, and the words for it. */
const PARTS: Readonly<
  Record<Exclude<keyof IncomingRequest, 'headers'>, readonly [(value: unknown) => boolean, string]>
> = {
  authorization: [
    isStringArray,
    'must be a list of strings, such as req.headersDistinct.authorization ?? []',
  ],
  dpop: [isStringArray, 'must be a list of strings, such as req.headersDistinct.dpop ?? []'],
  method: [isText, 'must be a string'],
  url: [isAddress, 'must be the absolute address, such as https://api.example/graphql'],
  clientCertificate: [(value) => value instanceof Uint8Array, 'must be a Uint8Array'],
  traceparent: [isText, 'must be a string'],
  isBatch: [(value) => typeof value === 'boolean', 'must be boolean'],
  remoteAddress: [isText, 'must be a string'],
};
const PART_ENTRIES = Object.entries(PARTS);
const NAMES: readonly string[] = [...Object.keys(PARTS), 'headers'];

/**
 * Checks the parts of a request as a server passes them. A request without its `authorization` would count as anonymous, so a
 * mistake of the server must not look like one.
 *
 * @returns the client's headers; undefined without them
 * @throws {ConfigurationError} for anything that is not an {@link IncomingRequest}
 */
export function checkIncoming(incoming: unknown): HeaderReader | undefined {
  if (typeof incoming !== 'object' || incoming === null || Array.isArray(incoming))
    throw new ConfigurationError(PATH, `is not an object; ${WHAT_TO_PASS}`);
  if ((incoming as Partial<IncomingRequest>).authorization === undefined)
    throw new ConfigurationError(`${PATH}.authorization`, `is missing; ${WHAT_TO_PASS}`);
  if (!isRecord(incoming)) throw new ConfigurationError(PATH, `is not a plain object; ${WHAT_TO_PASS}`);
  for (const [name, [hasType, problem]] of PART_ENTRIES) {
    const value = incoming[name];
    if (value !== undefined && !hasType(value)) throw new ConfigurationError(`${PATH}.${name}`, problem);
  }
  // A misspelt part would count as missing: a proof, for example, as not given.
  for (const name of Object.keys(incoming)) if (!NAMES.includes(name)) refuseUnknown(name);
  return incoming.headers === undefined ? undefined : readHeaders(incoming.headers);
}

function refuseUnknown(name: string): never {
  const meant = nearest(name, NAMES);
  const hint = meant === undefined ? `the parts are ${NAMES.join(', ')}` : `did you mean ${meant}?`;
  throw new ConfigurationError(`${PATH}.${name}`, `is not a part of a request; ${hint}`);
}

/** @throws {ConfigurationError} */
function readHeaders(headers: unknown): HeaderReader {
  try {
    return headerReader(headers);
  } catch (error) {
    if (!(error instanceof DirectiveError)) throw error;
    throw new ConfigurationError(`${PATH}.headers`, error.message);
  }
}
