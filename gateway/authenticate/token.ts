import type { Delegation } from '@behalf/directives';
import type { StepUp } from '@behalf/policy';
import type { Confirmation } from './confirmation.js';

/** What is kept of a verified token. Never the token. */
export interface AuthenticatedToken {
  readonly delegation: Delegation;
  /** By the issuer's own names, in which it announces what it revokes. Absent where they are the delegation's. */
  readonly issuerDelegation?: Delegation;
  readonly issuer: string;
  /** The issuer was asked about it (RFC 7662). */
  readonly isIntrospected?: true | undefined;
  /** `jti`, where the issuer gives one. */
  readonly tokenId: string | undefined;
  /** `exchanged_from`: `jti` of each token that it came from by exchange (RFC 8693). It ends with any of them. */
  readonly exchangedFrom?: readonly string[] | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** `kid` of the key that signed it, so that everything a leaked key signed can be ended. */
  readonly keyId?: string | undefined;
  /** `sid`: the person's session at the issuer (OpenID Connect Front-Channel Logout 1.0 section 3). */
  readonly sessionId?: string | undefined;
  /** How and when the person signed in (RFC 9470 section 6). */
  readonly acr?: string | undefined;
  /** Seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** Scopes that it was granted and that do not count before the person has signed in so; not in `delegation`. */
  readonly withheld?: ReadonlyMap<string, StepUp>;
  /**
   * What its sender must show beside it; undefined for a token that whoever holds it may use. Never left out: who makes one of
   * these has looked.
   */
  readonly confirmation: Confirmation | undefined;
}
