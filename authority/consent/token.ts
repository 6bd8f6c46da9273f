import type { AuthorityDatabase } from '../schema.js';
import { toConsent } from './rows.js';
import type { Consent } from './types.js';

/** Where a token would come from. */
export interface TokenSource {
  readonly consentId: string;
  readonly subject: string;
  readonly clientId: string;
  /** When the authorization code, or the first of a chain of refresh tokens, was issued; epoch seconds. */
  readonly issuedAtSeconds: number;
}

/**
 * The consent under which a token may be issued at this moment, or undefined: then it may not.
 * Waits for a revocation under way (see revoke.ts for the other half).
 */
export async function consentForToken(
  db: AuthorityDatabase,
  source: TokenSource,
): Promise<Consent | undefined> {
  const row = await db
    .selectFrom('authority.consent')
    .selectAll()
    .where('id', '=', source.consentId)
    .forShare()
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const consent = toConsent(row);
  if (consent.status !== 'active') return undefined;
  if (consent.subject !== source.subject || consent.clientId !== source.clientId) return undefined;
  const notBefore = row.tokens_not_before;
  if (notBefore !== null && !(source.issuedAtSeconds > notBefore.getTime() / 1000)) return undefined;
  return consent;
}
