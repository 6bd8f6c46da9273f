import { readActorClaim, readConsentClaim } from '@behalf/directives';
import type { Delegation } from '@behalf/directives';
import { invalidToken } from './bearer.js';
import type { VerifiedAccessToken } from './issuers.js';

/** RFC 6749 section 3.3: a scope token. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Reads a verified token as a delegation. A claim that is there and cannot be read refuses the token: to go on without
 * it would be to decide without what the issuer meant to say.
 *
 * @throws {RefusedError} 401 `INVALID_TOKEN`.
 */
export function toDelegation({ issuer, payload }: VerifiedAccessToken): Delegation {
  const names = issuer.claims ?? {};
  const clientId = claim(payload, names.clientId ?? 'client_id');
  if (typeof clientId !== 'string' || clientId === '') throw invalidToken('CLIENT_MISSING');
  const consent = payload.consent === undefined ? undefined : readConsentClaim(payload.consent);
  if (payload.consent !== undefined && consent === undefined) throw invalidToken('CONSENT_MALFORMED');
  const actor = payload.act === undefined ? undefined : readActorClaim(payload.act);
  if (payload.act !== undefined && actor === undefined) throw invalidToken('ACTOR_MALFORMED');
  return {
    subject: payload.sub,
    clientId,
    scopes: new Set(readWords(claim(payload, names.scopes ?? 'scope'), 'SCOPE')),
    policies: new Set(
      names.policies === undefined ? [] : readWords(claim(payload, names.policies), 'POLICIES'),
    ),
    roles: readWords(claim(payload, names.roles ?? 'roles'), 'ROLES'),
    ...(consent === undefined ? {} : { consent }),
    ...(actor === undefined ? {} : { actor }),
  };
}

function claim(payload: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(payload, name) ? payload[name] : undefined;
}

/** A space-separated string (RFC 9068 section 2.2.3) or a list of strings (as some issuers write it). */
function readWords(value: unknown, name: string): readonly string[] {
  if (value === undefined) return [];
  const words = typeof value === 'string' ? value.split(' ').filter((word) => word !== '') : value;
  if (
    !Array.isArray(words) ||
    !words.every((word): word is string => typeof word === 'string' && SCOPE_TOKEN.test(word))
  ) {
    throw invalidToken(`${name}_MALFORMED`);
  }
  return words;
}
