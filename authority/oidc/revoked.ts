import { sql } from 'kysely';

import { SESSION_REVOKED } from '../changes/log.js';
import type { AuthorityDatabase } from '../schema.js';
import { exchangedFromOf, type OwnToken, sessionIdOf } from './own-token.js';

/**
 * Whether the change log ends the token: an event all of whose members match it, and that came when the token was issued or
 * later. A token that is named, or from which it was exchanged, has ended for ever, whatever the times. The same rule as that of
 * the gateways' view, for each client that the token stands on.
 */
export async function isRevoked(db: AuthorityDatabase, token: OwnToken): Promise<boolean> {
  const { consent } = token;
  const sessionId = sessionIdOf(token);
  const candidates = [token.clientId, ...token.actors].map((clientId) =>
    JSON.stringify({
      subject: token.subject,
      clientId,
      consentId: consent?.id,
      sessionId,
    }),
  );
  const tokenIds = [token.tokenId, ...exchangedFromOf(token)];
  const { rows } = await sql`
    select from authority.change_event
    where kind = ${SESSION_REVOKED} and members ? 'tokenId' and members ->> 'tokenId' = any(${tokenIds}::text[])
    union all
    select from authority.change_event
    where kind = ${SESSION_REVOKED} and occurred_at >= to_timestamp(${token.issuedAtSeconds})
      and exists (select from unnest(${candidates}::text[]) as candidate where members <@ candidate::jsonb)
    limit 1`.execute(db);
  return rows.length > 0;
}
