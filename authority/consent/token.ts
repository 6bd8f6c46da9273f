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
  /** The sign-in under which it was asked for, where a person's stands behind it. */
  readonly sessionId?: string | undefined;
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
  if (source.sessionId !== undefined && (await isSessionEnded(db, source.sessionId))) return undefined;
  return consent;
}

/**
 * Whether a sign-in was ended before its time. A token that is issued just before is known to be dead by its `sid`; a
 * refresh token that is written back just after gives no further one.
 */
export async function isSessionEnded(db: AuthorityDatabase, sessionId: string): Promise<boolean> {
  const row = await db
    .selectFrom('authority.ended_session')
    .select('session_id')
    .where('session_id', '=', sessionId)
    .executeTakeFirst();
  return row !== undefined;
}
