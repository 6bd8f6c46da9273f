import { randomUUID } from 'node:crypto';

import { sql, type Transaction } from 'kysely';

import type { Initiator } from '../consent-values.js';
import type { AuthoritySchema } from '../schema.js';
import { revokeStatuses } from './revoke-statuses.js';
import { wakeCall } from './channels.js';
import type { ChangeMembers } from '../change-members.js';

/** OpenID CAEP 1.0, section 3.1 */
export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

/** Behalf's own event: access is suspended until it is resumed. */
export const ACCESS_SUSPENDED = 'https://schemas.behalf.dev/secevent/event-type/access-suspended';
export const ACCESS_RESUMED = 'https://schemas.behalf.dev/secevent/event-type/access-resumed';

/** The named key is about to sign, so receivers should fetch the JWKS again. */
export const SIGNING_KEY_ROTATED = 'https://schemas.behalf.dev/secevent/event-type/signing-key-rotated';
/** Every token signed by the named key is invalid, including later ones. */
export const SIGNING_KEY_REVOKED = 'https://schemas.behalf.dev/secevent/event-type/signing-key-revoked';

/** A change that gateways must enforce. A revocation invalidates every token that matches all members present. */
export interface Change {
  readonly kind:
    | typeof SESSION_REVOKED
    | typeof ACCESS_SUSPENDED
    | typeof ACCESS_RESUMED
    | typeof SIGNING_KEY_ROTATED
    | typeof SIGNING_KEY_REVOKED;
  readonly members: ChangeMembers;
  readonly initiator: Initiator;
  /** The subject, or the part of the system, that requested it. */
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

/** A position in the change log. A gateway that has acknowledged `seq` enforces the change. */
export interface ChangePosition {
  readonly seq: number;
  readonly jti: string;
}

/** The position of a change, and its time by the database's clock. */
export interface AppendedChange extends ChangePosition {
  readonly occurredAt: Date;
}

/**
 * Appends to the change log, within the transaction that makes the change. Sequence numbers have no gaps and follow the order of
 * commits: the single row of `change_head` stays locked until this transaction ends, so a reader who has seen a number has seen
 * all lower ones. Take all other locks first.
 *
 * The time is taken under that lock, so it is not before the `iat` of any token that the change ends; both come from the
 * database's clock.
 */
export async function appendChange(
  trx: Transaction<AuthoritySchema>,
  change: Change,
): Promise<AppendedChange> {
  // The database's clock may have gone back since a token was issued, for example after a failover.
  const youngest = change.kind === SESSION_REVOKED ? await revokeStatuses(trx, change.members) : undefined;
  const jti = randomUUID();
  // One statement, because everybody else waits for the row of `change_head` from here to the end of the transaction. The
  // notification is sent at commit, or not at all after a rollback.
  const { rows } = await sql<{ seq: number; occurredAt: Date }>`
    with head as (
      update authority.change_head set seq = seq + 1 returning seq, greatest(clock_timestamp(), ${youngest ?? null}::timestamptz) as now),
    event as (
      insert into authority.change_event (seq, jti, kind, members, initiator, reason, entity_id, occurred_at)
      select seq, ${jti}, ${change.kind}, ${JSON.stringify(change.members)}, ${change.initiator},
        ${change.reason ?? null}, ${change.by ?? null}, now
      from head returning seq, occurred_at)
    select seq, occurred_at as "occurredAt", ${wakeCall('change')} from event`.execute(trx);
  const [appended] = rows;
  if (appended === undefined) throw new Error('The change log has lost its head');
  return { jti, ...appended };
}
