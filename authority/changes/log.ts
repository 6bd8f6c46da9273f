import { randomUUID } from 'node:crypto';

import { sql, type Transaction } from 'kysely';

import type { ChangePosition, Initiator } from '../consent/types.js';
import type { AuthoritySchema } from '../schema.js';
import { revokeStatuses } from '../status/revoke.js';

/** The PostgreSQL channel that says "there is something new"; it carries nothing. */
export const CHANGE_CHANNEL = 'behalf_authority_change';

/** OpenID CAEP 1.0, section 3.1 */
export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

/** The key named is about to sign: whoever keeps the JWKS asks for it again. */
export const SIGNING_KEY_ROTATED = 'https://schemas.behalf.dev/secevent/event-type/signing-key-rotated';

/** Every token that the key named has signed, and will be made to sign, is dead. */
export const SIGNING_KEY_REVOKED = 'https://schemas.behalf.dev/secevent/event-type/signing-key-revoked';

/** A change that gateways have to know. Every token that matches all members present is dead. */
export interface Change {
  readonly kind: typeof SESSION_REVOKED | typeof SIGNING_KEY_ROTATED | typeof SIGNING_KEY_REVOKED;
  readonly members: {
    readonly subject?: string;
    readonly clientId?: string;
    readonly consentId?: string;
    /** `kid`; alone. */
    readonly keyId?: string;
  };
  readonly initiator: Initiator;
  readonly reason?: string | undefined;
}

/** A change's place, and its time by the database's clock. */
export interface AppendedChange extends ChangePosition {
  readonly occurredAt: Date;
}

/**
 * Appends to the change log, within the transaction that makes the change. Numbers are given without gaps and in the
 * order of the commits: the one row of `change_head` stays locked until this transaction ends, so that a reader who has
 * seen a number has seen all lower ones. Take all other locks before.
 *
 * The time is taken under that lock, so that it is not before any token that was issued before the change.
 */
export async function appendChange(
  trx: Transaction<AuthoritySchema>,
  change: Change,
): Promise<AppendedChange> {
  if (change.kind === SESSION_REVOKED) await revokeStatuses(trx, change.members);
  const head = await trx
    .updateTable('authority.change_head')
    .set((eb) => ({ seq: eb('seq', '+', 1) }))
    .returning(['seq', sql<Date>`clock_timestamp()`.as('now')])
    .executeTakeFirstOrThrow();
  const appended = { seq: head.seq, jti: randomUUID(), occurredAt: head.now };
  await trx
    .insertInto('authority.change_event')
    .values({
      seq: appended.seq,
      jti: appended.jti,
      kind: change.kind,
      members: JSON.stringify(change.members),
      initiator: change.initiator,
      reason: change.reason ?? null,
      occurred_at: appended.occurredAt,
    })
    .execute();
  // Sent at commit, and not at all when the transaction is rolled back.
  await sql`select pg_notify(${CHANGE_CHANNEL}, '')`.execute(trx);
  return appended;
}
