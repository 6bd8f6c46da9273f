import type { Selectable } from 'kysely';

import type { SigningKeyTable } from '../schema.js';

const DAY_SECONDS = 24 * 60 * 60;

/**
 * How long a key signs, unless it is rotated earlier. NIST SP 800-57 part 1 revision 5, section 5.3.6 allows one to three years;
 * rotating monthly ensures that rotation works.
 */
export const ROTATE_EVERY_SECONDS = 30 * DAY_SECONDS;

/**
 * How long a key is published before it signs: validators cache a key set for 10 minutes (as Behalf's gateways do), plus some
 * minutes of delay.
 */
export const PUBLISH_AHEAD_SECONDS = 15 * 60;

/** The time from the command to the switch, so that every instance has heard of it before. */
export const SWITCH_SECONDS = 2;

/**
 * How long a key stays published after its last signature. Nothing that it signs lives longer: access tokens, ID tokens and
 * status lists live for minutes, and gateways refuse tokens that claim more than an hour.
 */
export const MAX_SIGNED_LIFE_SECONDS = 60 * 60;

/** A margin for clock differences, and for an instance that hears late of the switch. */
const LATE_SECONDS = 5 * 60;

export const PUBLISHED_AFTER_SECONDS = MAX_SIGNED_LIFE_SECONDS + LATE_SECONDS;

/** The schedule of key rotation. The defaults are the constants of keys/times.ts. */
export interface KeySchedule {
  readonly rotateEverySeconds: number;
  readonly publishAheadSeconds: number;
}

export const KEY_SCHEDULE: KeySchedule = {
  rotateEverySeconds: ROTATE_EVERY_SECONDS,
  publishAheadSeconds: PUBLISH_AHEAD_SECONDS,
};

export type KeyState = 'next' | 'current' | 'retired' | 'gone' | 'revoked';

/** The columns that determine a key's state at a given time. */
export type KeyTimes = Pick<
  Selectable<SigningKeyTable>,
  'signs_from' | 'signs_until' | 'gone_at' | 'revoked_at'
>;

/** Whether there is a current key and a published next one. If not, keys must be created. */
export function isComplete(keys: readonly KeyTimes[], atMs: number): boolean {
  return hasCurrent(keys, atMs) && hasWaiting(keys, atMs);
}

export function hasCurrent(keys: readonly KeyTimes[], atMs: number): boolean {
  return keys.some((key) => stateOf(key, atMs) === 'current');
}

/** A key that is scheduled no longer counts as waiting. */
export function hasWaiting(keys: readonly KeyTimes[], atMs: number): boolean {
  return keys.some((key) => key.signs_from === null && stateOf(key, atMs) === 'next');
}

/** The state of a key at a time of the database's clock. At any time, at most one key is `current`. */
export function stateOf(key: KeyTimes, atMs: number): KeyState {
  if (key.revoked_at !== null) return 'revoked';
  if (key.gone_at !== null && key.gone_at.getTime() <= atMs) return 'gone';
  if (key.signs_until !== null && key.signs_until.getTime() <= atMs) return 'retired';
  return key.signs_from !== null && key.signs_from.getTime() <= atMs ? 'current' : 'next';
}
