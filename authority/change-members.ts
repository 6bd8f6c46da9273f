/** The person or thing that a change is about. */
export interface ChangeMembers {
  readonly subject?: string;
  readonly clientId?: string;
  readonly consentId?: string;
  /** `jti` */
  readonly tokenId?: string;
  /** `sid` */
  readonly sessionId?: string;
  /** For a suspension of a scope, for everybody, */
  readonly scope?: string;
  /** or of all access with tokens. */
  readonly everything?: true;
  /** `kid`; alone. */
  readonly keyId?: string;
}
