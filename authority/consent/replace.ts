import type { Transaction } from 'kysely';

import type { EventCause } from '../audit/record-events.js';
import { appendChange, type AppendedChange, SESSION_REVOKED } from '../changes/log.js';
import type { AuthoritySchema } from '../schema.js';
import { appendConsentEvent, type ConsentRow } from './rows.js';

/** The log entry of a replacement. */
export interface Replacement {
  /** The consent that replaces it. */
  readonly successor: string;
  readonly by: string;
  readonly cause: EventCause;
  readonly reason?: string | undefined;
}

/**
 * Ends a consent because a narrower one replaces it, and everything issued under it: codes and refresh tokens here, access tokens
 * at the gateways. Its identifier is never reused (docs/decisions/0018). The caller holds the row's lock.
 *
 * @returns the time of the replacement, when the successor begins
 */
export async function endAsReplaced(
  trx: Transaction<AuthoritySchema>,
  row: ConsentRow,
  { successor, by, cause, reason = `replaced by ${successor}` }: Replacement,
): Promise<{ readonly ended: ConsentRow; readonly change: AppendedChange }> {
  await trx.deleteFrom('authority.oidc_payload').where('grant_id', '=', row.id).execute();
  const change = await appendChange(trx, {
    kind: SESSION_REVOKED,
    members: { consentId: row.id, subject: row.subject, clientId: row.client_id },
    initiator: 'user',
    reason: 'narrowed',
  });
  const ended: ConsentRow = {
    ...row,
    status: 'replaced',
    ended_at: change.occurredAt,
    ended_by: by,
    ended_reason: reason,
  };
  await trx
    .updateTable('authority.consent')
    .set({ status: 'replaced', ended_at: change.occurredAt, ended_by: by, ended_reason: reason })
    .where('id', '=', row.id)
    .execute();
  await appendConsentEvent(trx, 'narrowed', row, { by, cause, reason, at: change.occurredAt });
  return { ended, change };
}
