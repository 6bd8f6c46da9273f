import type { Authenticator } from '../authenticate/index.js';
import type { PolicyCeiling } from '../authorize/ceiling.js';
import { suspended } from '../revocation/refusal.js';
import type { Suspensions } from '../revocation/suspensions.js';
import type { Authenticated, Incoming } from './stages.js';

export interface AuthenticationParts {
  readonly authenticator: Authenticator;
  /** Undefined without a policy file. */
  readonly ceiling: PolicyCeiling | undefined;
  /** Undefined without a stream of revocations. */
  readonly suspensions: Suspensions | undefined;
}

/** From credentials to a delegation. @throws {RefusedError} for credentials that are there and not valid */
export async function authenticate(
  incoming: Incoming,
  { authenticator, ceiling, suspensions }: AuthenticationParts,
): Promise<Authenticated> {
  const verified = await authenticator.authenticate(incoming.exchange.incoming);
  let token = verified?.token;
  // From here on nobody sees what the token held of suspended scopes, or beyond its client's ceiling.
  if (token !== undefined) token = suspensions?.withoutStopped(token) ?? token;
  if (token !== undefined) token = ceiling?.apply(token) ?? token;
  return {
    exchange: incoming.exchange,
    usage: incoming.usage,
    isAuthenticated: true,
    token,
    delegation: token?.delegation,
    nextNonce: verified?.nextNonce,
    isCounted: false,
  };
}

/**
 * Refuses a client that an administrator has suspended. A step of its own, after it is known whose request it was: that a
 * suspended client goes on asking is on record.
 *
 * @throws {RefusedError}
 */
export function refuseSuspended(
  authenticated: Authenticated,
  { suspensions }: AuthenticationParts,
): Authenticated {
  const code = authenticated.token === undefined ? undefined : suspensions?.codeFor(authenticated.token);
  if (code !== undefined) throw suspended(code);
  return authenticated;
}
