import type { Transaction } from 'kysely';

import { AUTHORITY, recordEvents } from '../audit/record-events.js';
import { appendChange, SESSION_REVOKED } from '../changes/log.js';
import type { AuthoritySchema } from '../schema.js';

/**
 * Ends every token issued under a consent up to now, including codes and refresh tokens. The consent stays in force: its client
 * gets a new token when the person signs in again.
 */
export async function endTokens(
  trx: Transaction<AuthoritySchema>,
  consentId: string,
  reason: string,
): Promise<void> {
  const consent = await trx
    .selectFrom('authority.consent')
    .select(['subject', 'client_id as clientId'])
    .where('id', '=', consentId)
    .where('status', '=', 'active')
    .forUpdate()
    .executeTakeFirst();
  if (consent === undefined) return;
  await trx.deleteFrom('authority.oidc_payload').where('grant_id', '=', consentId).execute();
  // Without the consent's id, which would end the consent forever at the gateways.
  const { occurredAt } = await appendChange(trx, {
    kind: SESSION_REVOKED,
    members: consent,
    initiator: 'policy',
    by: AUTHORITY,
    reason,
  });
  await trx
    .updateTable('authority.consent')
    .set({ tokens_not_before: occurredAt })
    .where('id', '=', consentId)
    .execute();
  const { clientId, subject } = consent;
  const details = { consentId, clientId };
  await recordEvents(trx, [{ event: 'tokens-of-consent-revoked', subjects: [subject], reason, details }]);
}
