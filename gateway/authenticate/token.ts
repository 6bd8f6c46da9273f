import type { Delegation } from '@behalf/directives';
import type { StepUp } from '@behalf/policy';
import type { Confirmation } from './confirmation.js';

/** The cached part of a verified token; never the token itself. */
export interface AuthenticatedToken {
  readonly delegation: Delegation;
  /** By the issuer's own names, which its revocations use. Absent if they equal the delegation's. */
  readonly issuerDelegation?: Delegation;
  readonly issuer: string;
  /** The token was introspected (RFC 7662). */
  readonly isIntrospected?: true | undefined;
  /** `jti`, if the issuer sets one. */
  readonly tokenId: string | undefined;
  /** `exchanged_from`: `jti` of each token that it was exchanged from (RFC 8693). It ends with any of them. */
  readonly exchangedFrom?: readonly string[] | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** `kid` of the key that signed it, for ending everything that a leaked key signed. */
  readonly keyId?: string | undefined;
  /** `sid`: the person's session at the issuer (OpenID Connect Front-Channel Logout 1.0 section 3). */
  readonly sessionId?: string | undefined;
  /** How and when the person signed in (RFC 9470 section 6). */
  readonly acr?: string | undefined;
  /** Seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** Granted scopes that count only after a stronger sign-in; not in `delegation`. */
  readonly withheld?: ReadonlyMap<string, StepUp>;
  /**
   * What its sender must show in addition; undefined for a bearer token. Not optional, so that every constructor has decided.
   */
  readonly confirmation: Confirmation | undefined;
}
