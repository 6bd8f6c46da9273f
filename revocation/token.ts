import type { Delegation } from '@behalf/directives';

/** The part of a verified token that revocations and suspensions are matched with. */
export interface RevocableToken {
  readonly delegation: Delegation;
  /** By the issuer's own names, which its revocations use. Absent if they equal the delegation's. */
  readonly issuerDelegation?: Delegation;
  readonly issuer: string;
  /** `jti`, if the issuer sets one. */
  readonly tokenId: string | undefined;
  /** `exchanged_from`: `jti` of each token that it was exchanged from (RFC 8693). It ends with any of them. */
  readonly exchangedFrom?: readonly string[] | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** `kid` of the key that signed it, for ending everything that a leaked key signed. */
  readonly keyId?: string | undefined;
  /** `sid`: the person's session at the issuer (OpenID Connect Front-Channel Logout 1.0 section 3). */
  readonly sessionId?: string | undefined;
}
