import type { ActorClaim, ConsentClaim, Delegation } from '@behalf/directives';
import { invalidToken } from './bearer.js';
import type { VerifiedAccessToken } from './issuers.js';

/** RFC 6749 section 3.3: a scope token. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const MAX_ACTOR_DEPTH = 8;

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
  const consent = payload.consent === undefined ? undefined : readConsent(payload.consent);
  const actor = payload.act === undefined ? undefined : readActor(payload.act, 0);
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

function readConsent(value: unknown): ConsentClaim {
  if (!isRecord(value)) throw invalidToken('CONSENT_MALFORMED');
  const { id, version, purposes, detail, until } = value;
  const isComplete =
    typeof id === 'string' &&
    id !== '' &&
    typeof version === 'number' &&
    Number.isInteger(version) &&
    Array.isArray(purposes) &&
    purposes.every((purpose) => typeof purpose === 'string') &&
    (detail === 'full' || detail === 'minimal') &&
    (until === undefined || typeof until === 'number');
  if (!isComplete) throw invalidToken('CONSENT_MALFORMED');
  return {
    id,
    version,
    purposes,
    detail,
    ...(until === undefined ? {} : { until }),
  };
}

function readActor(value: unknown, depth: number): ActorClaim {
  if (depth >= MAX_ACTOR_DEPTH || !isRecord(value)) throw invalidToken('ACTOR_MALFORMED');
  const { sub: actor, act: earlier } = value;
  if (typeof actor !== 'string' || actor === '') throw invalidToken('ACTOR_MALFORMED');
  return earlier === undefined ? { sub: actor } : { sub: actor, act: readActor(earlier, depth + 1) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
