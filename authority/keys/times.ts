import type { Selectable } from 'kysely';

import type { SigningKeyTable } from '../schema.js';

const DAY_SECONDS = 24 * 60 * 60;

/**
 * A key signs for so long, unless somebody rotates earlier. NIST SP 800-57 part 1 revision 5, section 5.3.6: a private signature
 * key is used for one to three years at most; a month makes rotation a thing that is known to work.
 */
export const ROTATE_EVERY_SECONDS = 30 * DAY_SECONDS;

/**
 * A key is published for so long before it signs: validators keep a key set for 10 minutes (as Behalf's gateways do), and
 * are given some minutes to be late.
 */
export const PUBLISH_AHEAD_SECONDS = 15 * 60;

/** From the command to the switch, so that every instance has heard of it before it is due. */
export const SWITCH_SECONDS = 2;

/**
 * A key stays published for so long after it signed the last time. Nothing that it signs lives longer: access tokens, ID tokens
 * and status lists live for minutes, and gateways refuse a token that claims more than an hour.
 */
export const MAX_SIGNED_LIFE_SECONDS = 60 * 60;

/** For clocks that differ, and an instance that hears late of the switch. */
const LATE_SECONDS = 5 * 60;

export const PUBLISHED_AFTER_SECONDS = MAX_SIGNED_LIFE_SECONDS + LATE_SECONDS;

/** How the keys come and go; the defaults are the constants of keys/times.ts. */
export interface KeySchedule {
  readonly rotateEverySeconds: number;
  readonly publishAheadSeconds: number;
}

export const KEY_SCHEDULE: KeySchedule = {
  rotateEverySeconds: ROTATE_EVERY_SECONDS,
  publishAheadSeconds: PUBLISH_AHEAD_SECONDS,
};

export type KeyState = 'next' | 'current' | 'retired' | 'gone' | 'revoked';

/** The columns that say what a key is at a moment. */
export type KeyTimes = Pick<
  Selectable<SigningKeyTable>,
  'signs_from' | 'signs_until' | 'gone_at' | 'revoked_at'
>;

/** A current key, and one that is published and waits: without both, something is to be made. */
export function isComplete(keys: readonly KeyTimes[], atMs: number): boolean {
  return hasCurrent(keys, atMs) && hasWaiting(keys, atMs);
}

export function hasCurrent(keys: readonly KeyTimes[], atMs: number): boolean {
  return keys.some((key) => stateOf(key, atMs) === 'current');
}

/** One whose turn is fixed does not wait any more. */
export function hasWaiting(keys: readonly KeyTimes[], atMs: number): boolean {
  return keys.some((key) => key.signs_from === null && stateOf(key, atMs) === 'next');
}

/** What a key is at a moment by the database's clock. At each moment at most one is `current`. */
export function stateOf(key: KeyTimes, atMs: number): KeyState {
  if (key.revoked_at !== null) return 'revoked';
  if (key.gone_at !== null && key.gone_at.getTime() <= atMs) return 'gone';
  if (key.signs_until !== null && key.signs_until.getTime() <= atMs) return 'retired';
  return key.signs_from !== null && key.signs_from.getTime() <= atMs ? 'current' : 'next';
}
