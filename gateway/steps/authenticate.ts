import type { Suspensions } from '@behalf/revocation/internal';
import type { Authenticator } from '../authenticate/index.js';
import { suspended } from '../authenticate/suspended.js';
import type { AuthenticatedToken } from '../authenticate/token.js';
import type { PolicyRules, RulesInForce } from '../rules/policy-rules.js';
import type { Authenticated, Incoming } from '../stages/stages.js';

export interface AuthenticationParts {
  readonly authenticator: Authenticator;
  readonly rules: RulesInForce;
  /** Undefined without a revocation stream. */
  readonly suspensions: Suspensions | undefined;
}

/** From credentials to a delegation. @throws {RefusedError} for invalid credentials */
export async function authenticate(incoming: Incoming, parts: AuthenticationParts): Promise<Authenticated> {
  const answer = await parts.authenticator.authenticate(incoming.exchange.incoming);
  const verified = answer?.token;
  const rules = parts.rules.current;
  const token = cut(verified, rules, parts);
  return {
    exchange: incoming.exchange,
    usage: incoming.usage,
    isAuthenticated: true,
    verified,
    rules,
    token,
    delegation: token?.delegation,
    nextNonce: answer?.nextNonce,
    isCounted: false,
  };
}

/** From here on suspended scopes, and rights beyond the client's ceiling, are invisible. */
function cut(
  verified: AuthenticatedToken | undefined,
  { ceiling }: PolicyRules,
  { suspensions }: AuthenticationParts,
): AuthenticatedToken | undefined {
  if (verified === undefined) return undefined;
  const token = suspensions?.withoutStopped(verified) ?? verified;
  return ceiling?.apply(token) ?? token;
}

/**
 * Takes the rules that go with the supergraph that executes the operation. If they were replaced since its token was verified,
 * the token is cut anew, so that no parts of two versions decide.
 */
export function adopt(
  authenticated: Authenticated,
  rules: PolicyRules,
  parts: AuthenticationParts,
): Authenticated {
  if (authenticated.rules === rules) return authenticated;
  const token = cut(authenticated.verified, rules, parts);
  return { ...authenticated, rules, token, delegation: token?.delegation };
}

/**
 * Refuses a client that an administrator has suspended. A separate step after the caller is known, so that the record shows a
 * suspended client's further attempts.
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
