import type { Transaction } from 'kysely';

import { AUTHORITY } from '../audit/record-events.js';
import { appendChange, SESSION_REVOKED } from '../changes/log.js';
import type { AuthoritySchema } from '../schema.js';
import { appendConsentEvent, type ConsentRow } from './rows.js';

/**
 * Ends expired consents: deletes their codes and refresh tokens, and records the event. Gateways are told too, although no access
 * token outlives its consent, because a gateway's clock may be slow. The caller holds the rows' locks.
 */
export async function recordExpiries(
  trx: Transaction<AuthoritySchema>,
  rows: readonly ConsentRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id);
  // Take all other locks before the change log's.
  await trx.deleteFrom('authority.oidc_payload').where('grant_id', 'in', ids).execute();
  for (const row of rows) {
    const { occurredAt } = await appendChange(trx, {
      kind: SESSION_REVOKED,
      members: { consentId: row.id, subject: row.subject, clientId: row.client_id },
      initiator: 'policy',
      reason: 'expired',
    });
    await trx
      .updateTable('authority.consent')
      .set({ status: 'expired', ended_at: row.until, ended_by: AUTHORITY })
      .where('id', '=', row.id)
      .execute();
    await appendConsentEvent(trx, 'expired', row, { by: AUTHORITY, cause: {}, at: occurredAt });
  }
}
