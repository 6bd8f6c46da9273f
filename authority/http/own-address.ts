import type { IncomingMessage } from 'node:http';

import { HttpError } from './respond.js';

/** Where others could tell how this server is reached: koa, below oidc-provider, reads the first two, RFC 7239 has the third. */
const TOLD_BY_OTHERS = ['x-forwarded-host', 'x-forwarded-proto', 'forwarded'] as const;

/**
 * Makes a request look as if it had been sent to the issuer's own address, however it came: the authority's metadata, the
 * address that a DPoP proof is for, redirects and cookies are made from the request by what comes after. Whoever sends a `Host`
 * would otherwise choose them. The target is left with its path and query (RFC 9112 section 3.2.2 has clients send more).
 *
 * @returns the address asked for, of the issuer's origin
 * @throws HttpError 400 for a target that is not an address
 */
export function addressToIssuer(request: IncomingMessage, issuer: URL): URL {
  const target = request.url ?? '';
  const isAbsolute = /^https?:\/\//i.test(target);
  // Behind the origin, `//other.example` is a path.
  const asked = isAbsolute ? URL.parse(target) : URL.parse(`${issuer.origin}${target}`);
  if (asked === null || !(isAbsolute || target.startsWith('/'))) {
    throw new HttpError(400, 'invalid_request', 'Not an address');
  }
  request.url = `${asked.pathname}${asked.search}`;
  const { headers } = request;
  for (const name of TOLD_BY_OTHERS) Reflect.deleteProperty(headers, name);
  headers.host = issuer.host;
  headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1);
  return new URL(`${issuer.origin}${request.url}`);
}
