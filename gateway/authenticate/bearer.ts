import { RefusedError } from '../errors.js';
import { bearerChallenge } from '../http/challenge.js';

/** RFC 6750 section 2.1: `b64token`. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** Longer than any access token has reason to be, and short enough to be hashed for nothing. */
const MAX_TOKEN_LENGTH = 16_384;

/**
 * The access token of a request (RFC 6750 section 2.1), or undefined when it shows none.
 *
 * Only the `Authorization` header is read: a token in the query string ends in logs, and two ways to show one let a proxy
 * and the gateway see different callers.
 *
 * @param authorization Every value of the header, in order.
 * @throws {RefusedError} 400 `INVALID_REQUEST` for several headers or a scheme other than Bearer, 401 `INVALID_TOKEN`
 *   for a token that cannot be one.
 */
export function bearerToken(authorization: readonly string[]): string | undefined {
  const [value] = authorization;
  if (value === undefined) return undefined;
  if (authorization.length > 1) throw invalidRequest('AUTHORIZATION_REPEATED');
  const space = value.indexOf(' ');
  const scheme = space < 0 ? value : value.slice(0, space);
  if (scheme.toLowerCase() !== 'bearer') throw invalidRequest('AUTHORIZATION_SCHEME');
  const token = space < 0 ? '' : value.slice(space + 1).trim();
  if (token === '' || token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token))
    throw invalidToken('TOKEN_MALFORMED');
  return token;
}

export function invalidRequest(reason: string): RefusedError {
  return new RefusedError({
    code: 'INVALID_REQUEST',
    message: 'The Authorization header cannot be read as one bearer token',
    status: 400,
    headers: new Map([['www-authenticate', bearerChallenge({ error: 'invalid_request' })]]),
    reason,
  });
}

/** RFC 6750 section 3.1. The reason stays inside: an attacker learns nothing of which check it was. */
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

/** RFC 6750 section 3: without credentials, the challenge says nothing but how to show them. */
export function tokenRequired(): RefusedError {
  return new RefusedError({
    code: 'UNAUTHENTICATED',
    message: 'An access token is required',
    status: 401,
    headers: new Map([['www-authenticate', bearerChallenge()]]),
  });
}
