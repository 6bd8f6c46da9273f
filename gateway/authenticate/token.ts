import type { StepUp } from '@behalf/policy';
import type { RevocableToken } from '@behalf/revocation/internal';
import type { Confirmation } from './confirmation.js';

/** The cached part of a verified token; never the token itself. */
export interface AuthenticatedToken extends RevocableToken {
  /** The token was introspected (RFC 7662). */
  readonly isIntrospected?: true | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** How and when the person signed in (RFC 9470 section 6). */
  readonly acr?: string | undefined;
  /** Seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** Granted scopes that count only after a stronger sign-in; not in `delegation`. */
  readonly withheld?: ReadonlyMap<string, StepUp>;
  /**
   * The proof that its sender must add; undefined for a bearer token. Not optional, so that every constructor has decided.
   */
  readonly confirmation: Confirmation | undefined;
}
