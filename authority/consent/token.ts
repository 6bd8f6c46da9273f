import type { AuthorityDatabase } from '../schema.js';
import { toConsent } from './rows.js';
import type { Consent } from './types.js';

/** The origin of a token to be issued. */
export interface TokenSource {
  readonly consentId: string;
  readonly subject: string;
  readonly clientId: string;
  /** When the authorization code, or the first of a chain of refresh tokens, was issued; epoch seconds. */
  readonly issuedAtSeconds: number;
  /** The sign-in under which it was requested, if a person is involved. */
  readonly sessionId?: string | undefined;
}

/**
 * The consent under which a token may be issued now; undefined if none may be issued. Waits for a revocation in progress (see
 * revoke.ts for the other half).
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
 * Whether a sign-in was ended early. A token issued just before is revoked by its `sid`; a refresh token written back just after
 * yields no further token.
 */
export async function isSessionEnded(db: AuthorityDatabase, sessionId: string): Promise<boolean> {
  const row = await db
    .selectFrom('authority.ended_session')
    .select('session_id')
    .where('session_id', '=', sessionId)
    .executeTakeFirst();
  return row !== undefined;
}
