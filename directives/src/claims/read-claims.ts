import type { ActorClaim, ConsentClaim } from './delegation.js';
import { isRecord } from '../is-record.js';
import { withoutUndefined } from '../without-undefined.js';

/**
 * Reads the `consent` claim of an access token (at the gateway) or a transaction token (at a subgraph).
 *
 * @returns undefined if it is malformed: the token is then refused, never read without it
 */
export function readConsentClaim(value: unknown): ConsentClaim | undefined {
  if (!isRecord(value)) return undefined;
  const { id, version, purposes, detail, until } = value;
  if (typeof id !== 'string' || id === '') return undefined;
  if (typeof version !== 'number' || !Number.isInteger(version) || !isStringArray(purposes)) return undefined;
  if (detail !== 'full' && detail !== 'minimal') return undefined;
  if (until !== undefined && typeof until !== 'number') return undefined;
  return withoutUndefined({ id, version, purposes, detail, until });
}

const MAX_ACTOR_DEPTH = 8;

/** Reads the `act` claim (RFC 8693 section 4.1). @returns undefined if it is malformed, or nested deeper than 8 */
export function readActorClaim(value: unknown, depth = 0): ActorClaim | undefined {
  if (depth >= MAX_ACTOR_DEPTH || !isRecord(value)) return undefined;
  const { sub: actor, act: earlier } = value;
  if (typeof actor !== 'string' || actor === '') return undefined;
  if (earlier === undefined) return { sub: actor };
  const act = readActorClaim(earlier, depth + 1);
  return act === undefined ? undefined : { sub: actor, act };
}

export function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
