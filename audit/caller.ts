/** The caller of a request. Every part is absent for a request without a valid token, except for the client of a refused one. */
export interface AuditCaller {
  /** Keyed pseudonym of the subject (HMAC-SHA-256, base64url): never the identifier itself. */
  readonly subjectPseudonym?: string;
  /** The client acted for itself, not for a person, so there is no pseudonym. */
  readonly service?: true;
  /** Also of a token that was refused, if a valid signature named it. */
  readonly clientId?: string;
  /** The current actor's identifier (RFC 8693 `act.sub`). */
  readonly actor?: string;
  /** At most 100, sorted. */
  readonly scopes?: readonly string[];
  readonly consentId?: string;
  readonly consentVersion?: number;
  readonly purposes?: readonly string[];
}
