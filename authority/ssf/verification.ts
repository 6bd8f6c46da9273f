import { randomUUID } from 'node:crypto';

import { SignJWT } from 'jose';
import { sql } from 'kysely';

import { SIGNING_ALGORITHM } from '../keys/signing-key.js';
import { transact } from '../transact.js';
import type { AuthorityDatabase } from '../schema.js';
import { wake } from '../changes/channels.js';
import type { SetContext } from './set.js';

/** SSF 1.0, section 8.1.4.1 */
export const VERIFICATION = 'https://schemas.openid.net/secevent/ssf/event-type/verification';

/** The least time between two verifications of one stream: `min_verification_interval` of its configuration. */
export const VERIFICATION_INTERVAL_SECONDS = 10;

/** A verification event that waits to be delivered. */
export interface Verification {
  readonly streamId: string;
  readonly jti: string;
  readonly state: string | null;
  readonly requestedAt: Date;
}

/**
 * Adds a verification event to the stream. It replaces one that was not delivered yet.
 *
 * @returns false if the last one is too recent
 */
export async function requestVerification(
  db: AuthorityDatabase,
  streamId: string,
  state: string | null,
): Promise<boolean> {
  return transact(db, async (trx) => {
    // Check and update are one statement, so that of two concurrent requests one is too early.
    const { numAffectedRows } = await sql`update authority.stream set verified_at = clock_timestamp()
      where id = ${streamId} and (verified_at is null or verified_at
        <= clock_timestamp() - make_interval(secs => ${VERIFICATION_INTERVAL_SECONDS}))`.execute(trx);
    if (numAffectedRows !== 1n) return false;
    await sql`insert into authority.stream_verification (stream_id, jti, state)
      values (${streamId}, ${randomUUID()}::uuid, ${state}::text)
      on conflict (stream_id) do update
        set jti = excluded.jti, state = excluded.state, requested_at = excluded.requested_at`.execute(trx);
    await wake(trx, 'change');
    return true;
  });
}

/** None if the stream is not enabled. */
export async function pendingVerification(
  db: AuthorityDatabase,
  streamId: string,
): Promise<Verification | undefined> {
  const row = await db
    .selectFrom('authority.stream_verification as v')
    .innerJoin('authority.stream as s', 's.id', 'v.stream_id')
    .select(['v.jti', 'v.state', 'v.requested_at'])
    .where('v.stream_id', '=', streamId)
    .where('s.status', '=', 'enabled')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { streamId, jti: row.jti, state: row.state, requestedAt: row.requested_at };
}

/** The event's subject is the stream (SSF 1.0, section 8.1.4.1). */
export async function signVerification(
  { streamId, jti, state, requestedAt }: Verification,
  { issuer, audience, key }: SetContext,
): Promise<string> {
  return new SignJWT({
    sub_id: { format: 'opaque', id: streamId },
    events: { [VERIFICATION]: state === null ? {} : { state } },
  })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: 'secevent+jwt', kid: key.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(Math.floor(requestedAt.getTime() / 1000))
    .setJti(jti)
    .sign(key.privateKey);
}
