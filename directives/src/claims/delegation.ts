/**
 * The rights of an application that acts for a person, as verified once at the gateway.
 *
 * A Delegation exists only for a token that passed every check. A request without a token has none (`undefined`), and a request
 * with an invalid token is refused earlier.
 */
export interface Delegation {
  /**
   * The person whose data it is (RFC 7519 `sub`), under a name that is unique across issuers. The subject of a service begins
   * with `urn:behalf:service:`; no person's does.
   */
  readonly subject: string;
  /**
   * The client acts for itself, not for a person. It counts as authenticated and holds its scopes, policies and roles; it owns
   * no row (`@subject`), and meets no purpose (`@purpose`), because nobody consented to one.
   */
  readonly service?: true;
  /** The application (RFC 9068 `client_id`). */
  readonly clientId: string;
  /** Scope tokens of the delegation (RFC 6749 section 3.3). */
  readonly scopes: ReadonlySet<string>;
  /** Policies that evaluated to exactly `true` for this request. */
  readonly policies: ReadonlySet<string>;
  /** Roles of the subject, for rules in code. */
  readonly roles: readonly string[];
  /** The consent behind the token; absent if the issuer keeps none. */
  readonly consent?: ConsentClaim;
  /** Less detail than the schema gives by default, by the consent and the policy. Absent: as the schema says. */
  readonly detail?: DetailInForce;
  /** The actor, if it is not the client itself (RFC 8693 section 4.1). */
  readonly actor?: ActorClaim;
}

/** What limits the detail of a delegation's values. The gateway computes it once, from what the person chose and the policy's rules. */
export interface DetailInForce {
  /** No scope lifts what `@minimize` leaves by default. */
  readonly nothingLifts?: true;
  /** Levels of `@minimize` in force, by data category (`location`) or by field (`Customer.city`). `*` stands for all of them. */
  readonly levels?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** `minimal`: values are minimized even if the delegation holds the fuller scope. */
export type DetailLevel = 'full' | 'minimal';

/** Levels of detail, by data category (`location`) or by field (`Customer.city`). */
export type ConsentLevels = Readonly<Record<string, readonly string[]>>;

/**
 * The agreement behind a delegation: claim `consent` of an access token, and `tctx.consent` of a transaction token. Read it
 * from {@link Delegation.consent}.
 */
export interface ConsentClaim {
  readonly id: string;
  /** Grows by one with every change of the consent. */
  readonly version: number;
  readonly purposes: readonly string[];
  readonly detail: DetailLevel;
  /** Levels of `@minimize` that the person chose, by data category or field. */
  readonly levels?: ConsentLevels;
  /** End of the consent, seconds since the epoch. */
  readonly until?: number;
}

/** RFC 8693 section 4.1: the current actor, with earlier ones nested. */
export interface ActorClaim {
  readonly sub: string;
  readonly act?: ActorClaim;
}
