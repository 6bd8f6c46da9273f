import { SCOPE_TOKEN } from '../scope-token.js';
import type { Requires } from '@behalf/directives';
import type { StepUp } from '@behalf/policy';

/** Parameters of a `Bearer` challenge. */
export interface Challenge {
  readonly error:
    | 'invalid_request'
    | 'invalid_token'
    | 'insufficient_scope'
    | 'insufficient_user_authentication'
    // RFC 9449 sections 7.1 and 9.
    | 'invalid_dpop_proof'
    | 'use_dpop_nonce';
  readonly description?: string;
  /** Scopes that would suffice (RFC 6750 section 3). */
  readonly scopes?: readonly string[];
  /** The required sign-in (RFC 9470 section 3). */
  readonly stepUp?: StepUp;
}

/**
 * The value of `WWW-Authenticate` (RFC 6750 section 3). Without credentials it only names the schemes: an error would concern a
 * token that was not sent.
 */
export function bearerChallenge(challenge?: Challenge): string {
  if (challenge === undefined) return 'Bearer';
  const { error, description, scopes = [], stepUp = {} } = challenge;
  const { acrValues = [], maxAgeSeconds } = stepUp;
  const parameters = [
    ['error', error],
    ...(description === undefined ? [] : [['error_description', description]]),
    ...(scopes.length === 0 ? [] : [['scope', scopes.join(' ')]]),
    ...(acrValues.length === 0 ? [] : [['acr_values', acrValues.join(' ')]]),
    ...(maxAgeSeconds === undefined ? [] : [['max_age', String(maxAgeSeconds)]]),
  ];
  return `Bearer ${parameters.map(([name, value]) => `${name}="${quotable(value ?? '')}"`).join(', ')}`;
}

/** A header is ASCII, and a quoted string ends at a quote (RFC 9110 section 5.6.4). */
function quotable(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]|["\\]/g, '');
}

/** Proxies refuse a header beyond a few kilobytes; the response's errors have everything. */
const MAX_SCOPES = 50;

/**
 * The challenge for a token that grants nothing of the request: with sufficient scopes, the shortest alternative of each
 * requirement. It does not depend on the scopes that the caller holds.
 */
export function insufficientScope(requirements: readonly Requires[]): string {
  const scopes = new Set<string>();
  for (const alternatives of requirements.flatMap((requires) => requires.scopes ?? [])) {
    const [shortest] = [...alternatives].sort((one, other) => one.length - other.length);
    for (const scope of shortest ?? []) if (SCOPE_TOKEN.test(scope)) scopes.add(scope);
  }
  return bearerChallenge({ error: 'insufficient_scope', scopes: [...scopes].slice(0, MAX_SCOPES) });
}

/** The challenge for a token that grants nothing until the person signs in again (RFC 9470 section 3). */
export function insufficientUserAuthentication(stepUp: StepUp): string {
  return bearerChallenge({
    error: 'insufficient_user_authentication',
    description: 'The person has to sign in again',
    stepUp,
  });
}
