import { sql } from 'kysely';

import { SESSION_REVOKED } from '../changes/log.js';
import type { AuthorityDatabase } from '../schema.js';
import type { OwnToken } from './own-tokens.js';

/**
 * Whether the change log ends the token: an event that came when the token was issued or later, and all of whose members
 * match it. The same rule as that of the gateways' view, for each client that the token stands on.
 */
export async function isRevoked(db: AuthorityDatabase, token: OwnToken): Promise<boolean> {
  const sessionId = token.payload['sid'];
  const candidates = [token.clientId, ...token.actors].map((clientId) =>
    JSON.stringify({
      subject: token.subject,
      clientId,
      tokenId: token.tokenId,
      ...(token.consent === undefined ? {} : { consentId: token.consent.id }),
      ...(typeof sessionId === 'string' ? { sessionId } : {}),
    }),
  );
  const { rows } = await sql`
    select from authority.change_event
    where kind = ${SESSION_REVOKED} and occurred_at >= to_timestamp(${token.issuedAtSeconds})
      and exists (select from unnest(${candidates}::text[]) as candidate where members <@ candidate::jsonb)
    limit 1`.execute(db);
  return rows.length > 0;
}
