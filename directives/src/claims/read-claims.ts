import type { ActorClaim, ConsentClaim, ConsentLevels, DetailInForce } from './delegation.js';
import { isRecord } from '../is-record.js';
import { withoutUndefined } from '../without-undefined.js';

/**
 * Reads the `consent` claim of an access token (at the gateway) or a transaction token (at a subgraph).
 *
 * @returns undefined if it is malformed: the token is then refused, never read without it
 */
export function readConsentClaim(value: unknown): ConsentClaim | undefined {
  if (!isRecord(value)) return undefined;
  const { id, version, purposes, detail, levels, until } = value;
  if (typeof id !== 'string' || id === '') return undefined;
  if (typeof version !== 'number' || !Number.isInteger(version) || !isStringArray(purposes)) return undefined;
  if (detail !== 'full' && detail !== 'minimal') return undefined;
  if (until !== undefined && typeof until !== 'number') return undefined;
  const chosen = levels === undefined ? undefined : readLevels(levels);
  if (levels !== undefined && chosen === undefined) return undefined;
  return withoutUndefined({ id, version, purposes, detail, levels: chosen, until });
}

/** More than a person chooses on a page, and less than fills a token. */
export const MAX_LEVEL_ENTRIES = 64;
export const MAX_LEVELS = 16;
const MAX_NAME_LENGTH = 256;

/** Reads levels of detail by category or field. @returns undefined if they are malformed */
export function readLevels(value: unknown): ConsentLevels | undefined {
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > MAX_LEVEL_ENTRIES) return undefined;
  const isName = (name: unknown): name is string =>
    typeof name === 'string' && name !== '' && name.length <= MAX_NAME_LENGTH;
  const read = new Map<string, readonly string[]>();
  for (const [name, levels] of entries) {
    if (!isName(name) || !Array.isArray(levels) || levels.length === 0 || levels.length > MAX_LEVELS)
      return undefined;
    const names = (levels as readonly unknown[]).filter(isName);
    if (names.length !== levels.length) return undefined;
    read.set(name, names);
  }
  return Object.fromEntries(read);
}

/** Reads `tctx.detail` of a transaction token. @returns undefined if it is malformed */
export function readDetailClaim(value: unknown): DetailInForce | undefined {
  if (!isRecord(value)) return undefined;
  const { nothing_lifts: nothingLifts, levels } = value;
  if (nothingLifts !== undefined && nothingLifts !== true) return undefined;
  const read = levels === undefined ? undefined : readLevels(levels);
  if (levels !== undefined && read === undefined) return undefined;
  return withoutUndefined({
    nothingLifts,
    levels:
      read === undefined
        ? undefined
        : new Map(Object.entries(read).map(([name, names]) => [name, new Set(names)])),
  });
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
