import type { IncomingMessage } from 'node:http';

import { requestTarget } from '@behalf/http/internal';

import { HttpError } from './respond.js';

/**
 * Headers that could claim how this server is reached: koa, which oidc-provider uses, reads the first two; RFC 7239 defines the
 * third.
 */
const TOLD_BY_OTHERS = ['x-forwarded-host', 'x-forwarded-proto', 'forwarded'] as const;

/**
 * Rewrites a request as if it had been sent to the issuer's own address. Later code derives metadata, the address of DPoP proofs,
 * redirects and cookies from the request, and a client could otherwise choose them with its `Host` header. The target is reduced
 * to path and query (RFC 9112 section 3.2.2 allows absolute targets).
 *
 * @returns the requested address at the issuer's origin
 * @throws HttpError 400 if the target is not an address
 */
export function addressToIssuer(request: IncomingMessage, issuer: URL): URL {
  const { path, search } = requestTarget(request);
  // After the origin, `//other.example` is a path.
  const asked = URL.parse(`${issuer.origin}${path}${search}`);
  if (asked === null || !path.startsWith('/')) {
    throw new HttpError(400, 'invalid_request', 'Not an address');
  }
  request.url = `${asked.pathname}${asked.search}`;
  const { headers } = request;
  for (const name of TOLD_BY_OTHERS) Reflect.deleteProperty(headers, name);
  headers.host = issuer.host;
  headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1);
  return new URL(`${issuer.origin}${request.url}`);
}

/** The path of a target in any of its forms (RFC 9112 section 3.2). */
export function pathOf(target: string): string {
  return URL.parse(target, 'http://authority.invalid')?.pathname ?? '';
}
