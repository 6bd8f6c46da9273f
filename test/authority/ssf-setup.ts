import type { Consent } from '../../authority/internal.js';
import type { TestAuthority } from './setup.js';
import { consentTerms } from '../support/consent-terms.js';

export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
export const VERIFICATION = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
export const POLL = 'urn:ietf:rfc:8936';
export const PUSH = 'urn:ietf:rfc:8935';
export const BY_ADMIN = { by: 'admin-iris', initiator: 'admin' } as const;

/** A receiver with a secret of its own that is not a gateway. */
export const OPERATOR = { name: 'operator', secret: 'secret-of-the-operator' };

export interface Sent {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** One request of a receiver. */
export async function send(
  method: string,
  url: string,
  body?: unknown,
  secret: string = OPERATOR.secret,
): Promise<Sent> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

let people = 0;

/**
 * Grants and revokes a consent.
 * @returns the `jti` of the event
 */
export async function revoke({ consents }: TestAuthority): Promise<{ jti: string; consent: Consent }> {
  const consent = await consents.grant(consentTerms(`person-${++people}`));
  const { change } = await consents.revokeConsent(consent.id, BY_ADMIN);
  return { jti: change?.jti ?? '', consent };
}
