import type { Transaction } from 'kysely';

import type { ChangeMembers } from '../changes/log.js';
import type { AuthoritySchema } from '../schema.js';

/** Members of a change that a token's place in a list knows as well. */
const COLUMNS = {
  subject: 'subject',
  clientId: 'client_id',
  consentId: 'consent_id',
  tokenId: 'jti',
  sessionId: 'session_id',
} as const satisfies Partial<Record<keyof ChangeMembers, string>>;

/**
 * Sets the bit of every living token that matches all members, within the transaction of the revocation. A change that names
 * something else as well, which the list does not know, sets none: it would end more than was meant.
 */
export async function revokeStatuses(
  trx: Transaction<AuthoritySchema>,
  members: ChangeMembers,
): Promise<void> {
  let update = trx.updateTable('authority.token_status').set({ revoked: true }).where('revoked', '=', false);
  let named = 0;
  for (const [member, value] of Object.entries(members) as [string, unknown][]) {
    if (value === undefined) continue;
    if (!isColumn(member) || typeof value !== 'string') return;
    update = update.where(COLUMNS[member], '=', value);
    named += 1;
  }
  if (named > 0) await update.execute();
}

function isColumn(member: string): member is keyof typeof COLUMNS {
  return Object.hasOwn(COLUMNS, member);
}
