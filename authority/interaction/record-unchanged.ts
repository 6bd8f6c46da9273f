import { recordEvents } from '../audit/record-events.js';
import type { AuthorityDatabase } from '../schema.js';
import { transact } from '../transact.js';

/** What a person was asked. */
export interface Question {
  readonly interactionId: string;
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** The consent in force. */
  readonly consentId: string | undefined;
}

/**
 * Records for the audit log that a person was asked and agreed to nothing new: once for each time they were asked, however often
 * the form arrives. What they agree to is recorded with the consent.
 */
export async function recordUnchanged(
  db: AuthorityDatabase,
  decision: 'kept' | 'refused',
  { clientId, consentId, interactionId, scopes, subject }: Question,
): Promise<void> {
  const cause = { request: { caller: { subject, clientId } } };
  const details = { clientId, consentId, scopes };
  await transact(db, async (trx) => {
    // Of requests that arrive at the same time, one marks the interaction.
    const { numUpdatedRows } = await trx
      .updateTable('authority.oidc_payload')
      .set({ consumed_at: new Date() })
      .where('model', '=', 'Interaction')
      .where('id', '=', interactionId)
      .where('consumed_at', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 1n) await recordEvents(trx, [{ event: `consent-${decision}`, cause, details }]);
  });
}
