import { createHash } from 'node:crypto';
import { RefusedError } from '../errors.js';
import { bearerChallenge } from '../http/challenge.js';

/** RFC 6750 section 2.1: `b64token`. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** Longer than any real access token, and short enough to hash cheaply. */
const MAX_TOKEN_LENGTH = 16_384;

/** How a token is presented: RFC 6750 section 2.1, RFC 9449 section 7.1. */
export type AuthenticationScheme = 'bearer' | 'dpop';

export interface PresentedToken {
  readonly scheme: AuthenticationScheme;
  readonly token: string;
  /** SHA-256 of the token, base64url: its cache key, and the `ath` of its proofs (RFC 9449 section 4.2). */
  readonly digest: string;
}

/**
 * The access token of a request, or undefined if it has none.
 *
 * Only the `Authorization` header is read. A token in the query string ends up in logs, and two places for tokens would let a
 * proxy and the gateway see different callers.
 *
 * @param authorization every value of the header, in order
 * @throws {RefusedError} 400 `INVALID_REQUEST` for several headers or a scheme other than Bearer and DPoP, 401 `INVALID_TOKEN`
 * for what cannot be a token
 */
export function presentedToken(authorization: readonly string[]): PresentedToken | undefined {
  const [value] = authorization;
  if (value === undefined) return undefined;
  if (authorization.length > 1) throw invalidRequest('AUTHORIZATION_REPEATED');
  const scheme = schemeOf(value);
  if (scheme === undefined) throw invalidRequest('AUTHORIZATION_SCHEME');
  const token = value.slice(scheme.length).trim();
  if (token === '' || token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token))
    throw invalidToken('TOKEN_MALFORMED');
  return { scheme, token, digest: createHash('sha256').update(token).digest('base64url') };
}

/** The scheme of an `Authorization` header, in any case (RFC 9110 section 11.1). */
export function schemeOf(authorization: string): AuthenticationScheme | undefined {
  const [name = ''] = authorization.split(' ', 1);
  const scheme = name.toLowerCase();
  return scheme === 'bearer' || scheme === 'dpop' ? scheme : undefined;
}

function invalidRequest(reason: string): RefusedError {
  return new RefusedError({
    code: 'INVALID_REQUEST',
    message: 'The Authorization header cannot be read as one access token',
    status: 400,
    headers: new Map([['www-authenticate', bearerChallenge({ error: 'invalid_request' })]]),
    reason,
  });
}

/** RFC 6750 section 3.1. The reason stays internal, so an attacker does not learn which check failed. */
export function invalidToken(reason: string): RefusedError {
  const message = 'The access token is not valid';
  return new RefusedError({
    code: 'INVALID_TOKEN',
    message,
    status: 401,
    headers: new Map([
      ['www-authenticate', bearerChallenge({ error: 'invalid_token', description: message })],
    ]),
    reason,
  });
}

/** RFC 6750 section 3: without credentials, the challenge only names the schemes. */
export function tokenRequired(): RefusedError {
  return new RefusedError({
    code: 'UNAUTHENTICATED',
    message: 'An access token is required',
    status: 401,
    headers: new Map([['www-authenticate', bearerChallenge()]]),
  });
}
