import { type RawBuilder, sql, type Transaction } from 'kysely';

import type { ChangeMembers } from '../change-members.js';
import type { AuthoritySchema } from '../schema.js';

/** The members of a change that places know too, and how they match. */
const MATCHES: Partial<Record<keyof ChangeMembers, (value: string) => RawBuilder<boolean>>> = {
  subject: (value) => sql`subject = ${value}`,
  // An actor counts as a client of the token, as at the gateways.
  clientId: (value) => sql`(client_id = ${value} or (actors <> '{}' and actors @> array[${value}]::text[]))`,
  consentId: (value) => sql`consent_id = ${value}`,
  tokenId: (value) => sql`(jti = ${value}
    or (exchanged_from <> '{}' and exchanged_from @> array[${value}]::text[]))`,
  sessionId: (value) => sql`session_id = ${value}`,
};

/**
 * Sets the bit of every living token that matches all members, within the transaction of the revocation. A change with a member
 * that places do not know sets none, because it would end more than intended.
 *
 * @returns when the youngest of them was issued; undefined if there is none
 */
export async function revokeStatuses(
  trx: Transaction<AuthoritySchema>,
  members: ChangeMembers,
): Promise<Date | undefined> {
  const conditions: RawBuilder<boolean>[] = [];
  for (const [member, value] of Object.entries(members) as [keyof ChangeMembers, unknown][]) {
    if (value === undefined) continue;
    const match = Object.hasOwn(MATCHES, member) ? MATCHES[member] : undefined;
    if (match === undefined || typeof value !== 'string') return undefined;
    conditions.push(match(value));
  }
  if (conditions.length === 0) return undefined;
  const { rows } = await sql<{ latest: Date | null }>`
    with ended as (
      update authority.token_status set revoked = true
      where not revoked and ${sql.join(conditions, sql` and `)} returning issued_at)
    select max(issued_at) as latest from ended`.execute(trx);
  return rows[0]?.latest ?? undefined;
}
