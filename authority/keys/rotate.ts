import { type Selectable, sql, type Transaction } from 'kysely';

import { AUTHORITY, causeOf, recordEvents } from '../audit/record-events.js';
import { appendChange, SIGNING_KEY_REVOKED, SIGNING_KEY_ROTATED } from '../changes/log.js';
import type { ChangePosition } from '../changes/log.js';
import type { Initiator } from '../consent-values.js';
import { AuthorityError } from '../errors.js';
import { lockSigningKeys } from '../locks.js';
import { truncateReason } from '../reason.js';
import type { AuthoritySchema, SigningKeyTable } from '../schema.js';
import {
  type KeyState,
  PUBLISH_AHEAD_SECONDS,
  PUBLISHED_AFTER_SECONDS,
  stateOf,
  SWITCH_SECONDS,
} from './times.js';

type Trx = Transaction<AuthoritySchema>;

export type KeyRow = Selectable<SigningKeyTable>;

/** The operator who changes the keys, and the reason. */
export interface KeyChangeOptions {
  readonly initiator: Initiator;
  /** An operator's name for themselves, as the audit log gets it. Default: the authority itself. */
  readonly by?: string | undefined;
  /** Recorded in the change log, and so sent to every gateway. */
  readonly reason?: string | undefined;
}

export interface RotationOptions {
  /** Default {@link PUBLISH_AHEAD_SECONDS}. */
  readonly publishAheadSeconds?: number;
  /** Rotates only if this is the signing key, so that only one of many instances does it. */
  readonly ifCurrent?: string;
}

export interface Rotation {
  /** The key that signs from `at` on. */
  readonly kid: string;
  readonly at: Date;
  /** Undefined if the switch was already scheduled. */
  readonly change: ChangePosition | undefined;
}

export interface KeyRevocation {
  /** False if it had been revoked before. */
  readonly revoked: boolean;
  readonly change: ChangePosition | undefined;
}

/** Reads the keys, locked against other changes until the transaction ends, and the database's time. */
export async function lockKeys(trx: Trx): Promise<{ keys: KeyRow[]; now: Date }> {
  await lockSigningKeys(trx);
  const keys = await trx.selectFrom('authority.signing_key').selectAll().orderBy('published_at').execute();
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(trx);
  return { keys, now: rows[0]?.now ?? new Date() };
}

/**
 * Schedules the next key to sign as soon as it has been published for long enough, and announces it. Private keys are not needed,
 * so access to the database suffices. A running authority then publishes a further key.
 *
 * @returns undefined if the signing key is not `ifCurrent`
 * @throws AuthorityError `KEY_MISSING` if no next key was published, because no authority has run since the last rotation
 */
export async function rotateSigningKeys(
  trx: Trx,
  options: KeyChangeOptions & RotationOptions,
): Promise<Rotation | undefined> {
  const { ifCurrent, publishAheadSeconds = PUBLISH_AHEAD_SECONDS } = options;
  const { keys, now } = await lockKeys(trx);
  const is = inState(keys, now);
  const [current] = is('current');
  if (ifCurrent !== undefined && current?.kid !== ifCurrent) return undefined;
  const [scheduled] = is('next').filter((key) => key.signs_from !== null);
  if (scheduled?.signs_from != null)
    return { kid: scheduled.kid, at: scheduled.signs_from, change: undefined };
  const [next] = is('next');
  if (next === undefined) {
    throw new AuthorityError(
      'KEY_MISSING',
      'No next key has been published yet; a running authority does it',
    );
  }
  const publishedForMs = now.getTime() - next.published_at.getTime();
  const waitMs = Math.max(SWITCH_SECONDS * 1000, publishAheadSeconds * 1000 - publishedForMs);
  const at = new Date(now.getTime() + waitMs);
  if (current !== undefined) await retire(trx, current.kid, at);
  await trx
    .updateTable('authority.signing_key')
    .set({ signs_from: at })
    .where('kid', '=', next.kid)
    .execute();
  const details = { keyId: next.kid, from: at.getTime(), replaces: current?.kid };
  await recordEvents(trx, [{ ...stated(options), event: 'signing-key-rotated', details }]);
  const { seq, jti } = await appendChange(trx, {
    kind: SIGNING_KEY_ROTATED,
    members: { keyId: next.kid },
    initiator: options.initiator,
    by: options.by,
    reason: truncateReason(options.reason),
  });
  return { kid: next.kid, at, change: { seq, jti } };
}

/**
 * Revokes a leaked key: it leaves the key set and another key signs immediately, its private half is erased, and every gateway is
 * told to refuse everything that it signed. A repeated call does nothing.
 *
 * @throws AuthorityError `KEY_UNKNOWN`
 */
export async function revokeSigningKey(
  trx: Trx,
  kid: string,
  options: KeyChangeOptions,
): Promise<KeyRevocation> {
  const { keys, now } = await lockKeys(trx);
  const key = keys.find((each) => each.kid === kid);
  if (key === undefined)
    throw new AuthorityError('KEY_UNKNOWN', 'The authority has no signing key of that kid');
  if (key.revoked_at !== null) return { revoked: false, change: undefined };
  await trx
    .updateTable('authority.signing_key')
    .set({ revoked_at: now, gone_at: now, nonce: null, ciphertext: null })
    .where('kid', '=', kid)
    .execute();
  const is = inState(
    keys.filter((each) => each !== key),
    now,
  );
  const [current] = is('current');
  if (current === undefined) {
    // The next key has been published for a while. Without one, a running authority creates one immediately (keys/ring.ts).
    const [heir] = is('next');
    if (heir !== undefined) await signFrom(trx, heir.kid, now);
  } else if (current.signs_until !== null && is('next').every(({ signs_from: from }) => from === null)) {
    // The key that was to take over is gone.
    await signFrom(trx, current.kid, current.signs_from ?? now);
  }
  await recordEvents(trx, [{ ...stated(options), event: 'signing-key-revoked', details: { keyId: kid } }]);
  const { seq, jti } = await appendChange(trx, {
    kind: SIGNING_KEY_REVOKED,
    members: { keyId: kid },
    initiator: options.initiator,
    by: options.by,
    reason: truncateReason(options.reason),
  });
  return { revoked: true, change: { seq, jti } };
}

/** Who changes the keys, and why, for the audit log. */
function stated({ by = AUTHORITY, initiator, reason }: KeyChangeOptions) {
  return { cause: causeOf({ by, initiator }), reason: truncateReason(reason) };
}

function inState(keys: readonly KeyRow[], now: Date): (state: KeyState) => KeyRow[] {
  // The next key that signs first.
  const rank = ({ signs_from: from }: KeyRow): number => from?.getTime() ?? Number.POSITIVE_INFINITY;
  return (state) =>
    keys.filter((key) => stateOf(key, now.getTime()) === state).sort((a, b) => rank(a) - rank(b));
}

async function retire(trx: Trx, kid: string, at: Date): Promise<void> {
  const gone = new Date(at.getTime() + PUBLISHED_AFTER_SECONDS * 1000);
  await trx
    .updateTable('authority.signing_key')
    .set({ signs_until: at, gone_at: gone })
    .where('kid', '=', kid)
    .execute();
}

async function signFrom(trx: Trx, kid: string, from: Date): Promise<void> {
  await trx
    .updateTable('authority.signing_key')
    .set({ signs_from: from, signs_until: null, gone_at: null })
    .where('kid', '=', kid)
    .execute();
}
