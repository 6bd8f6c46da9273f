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
  /** Scopes that would help (RFC 6750 section 3). */
  readonly scopes?: readonly string[];
  /** How the person has to sign in (RFC 9470 section 3). */
  readonly stepUp?: StepUp;
}

/**
 * The value of `WWW-Authenticate` (RFC 6750 section 3). Without credentials it says nothing but how to show them: an error
 * would tell of a token that nobody sent.
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

/** RFC 6749 section 3.3: what a scope may be spelled with. Another spelling could end the parameter. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** A header beyond a few kilobytes is refused by proxies; the errors of the answer have all of it. */
const MAX_SCOPES = 50;

/**
 * The challenge for a token that grants nothing of what was asked: with the scopes that would do, of each requirement its
 * shortest alternative. Scopes that the caller holds are not told apart.
 */
export function insufficientScope(requirements: readonly Requires[]): string {
  const scopes = new Set<string>();
  for (const alternatives of requirements.flatMap((requires) => requires.scopes ?? [])) {
    const [shortest] = [...alternatives].sort((one, other) => one.length - other.length);
    for (const scope of shortest ?? []) if (SCOPE_TOKEN.test(scope)) scopes.add(scope);
  }
  return bearerChallenge({ error: 'insufficient_scope', scopes: [...scopes].slice(0, MAX_SCOPES) });
}

/** The challenge for a token that grants nothing before the person has signed in again (RFC 9470 section 3). */
export function insufficientUserAuthentication(stepUp: StepUp): string {
  return bearerChallenge({
    error: 'insufficient_user_authentication',
    description: 'The person has to sign in again',
    stepUp,
  });
}
