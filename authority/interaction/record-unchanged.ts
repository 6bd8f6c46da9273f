import { recordEvents } from '../audit/record-events.js';
import type { AuthorityDatabase } from '../schema.js';

/** What a person was asked. */
export interface Question {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** The consent in force. */
  readonly consentId: string | undefined;
}

/** Records for the audit log that a person was asked and agreed to nothing new. What they agree to is recorded with the consent. */
export async function recordUnchanged(
  db: AuthorityDatabase,
  decision: 'kept' | 'refused',
  { clientId, consentId, scopes, subject }: Question,
): Promise<void> {
  const cause = { request: { caller: { subject, clientId } } };
  const details = { clientId, consentId, scopes };
  await recordEvents(db, [{ event: `consent-${decision}`, cause, details }]);
}
