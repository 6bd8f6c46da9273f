/** How much harm a scope can do in the wrong hands, from least to most. */
export const SENSITIVITIES = ['low', 'personal', 'sensitive'] as const;
/**
 * How sensitive the data behind a scope is. It decides how long a consent may last ({@link Policy.longestConsentSeconds}), and how a
 * person must have signed in ({@link Policy.stepUp}).
 */
export type Sensitivity = (typeof SENSITIVITIES)[number];

/** The meaning of a scope. One entry of {@link Policy.scopes}. */
export interface ScopePolicy {
  readonly name: string;
  /** Tells the person who is asked, in their words, what an application may then do. */
  readonly sentence: string;
  readonly access: 'read' | 'write';
  readonly sensitivity: Sensitivity;
  /** Something other than a schema rule requires it, such as the gateway's administration. */
  readonly outsideSchema?: boolean;
  /** Still accepted, but clients should no longer ask for it. */
  readonly deprecated?: ScopeDeprecation;
}

/** A scope on its way out: it counts until the end of its last day, in UTC. See {@link ScopePolicy.deprecated}. */
export interface ScopeDeprecation {
  /** Calendar day, `YYYY-MM-DD`. */
  readonly since: string;
  /** The last calendar day on which it is accepted. */
  readonly until?: string;
  readonly replacedBy?: readonly string[];
}

/** A use of the data that people can consent to, in words for them. One entry of {@link Policy.purposes}. */
export interface PurposePolicy {
  readonly name: string;
  readonly sentence: string;
}

/** A category of personal data whose detail people can choose. One entry of {@link Policy.categories}. */
export interface CategoryPolicy {
  /** As `@personalData(category: …)` names it. */
  readonly name: string;
  /** Names the data in words for the person. */
  readonly sentence: string;
  readonly sensitivity: Sensitivity;
  /** From most detail to least. */
  readonly levels: readonly LevelPolicy[];
}

/** A level of detail that people can choose for a category. */
export interface LevelPolicy {
  /** As `@minimize(level: …)` names it. */
  readonly name: string;
  readonly sentence: string;
}

/** A rule by which delegations get less detail. One entry of {@link Policy.minimize}. */
export interface MinimizeRule {
  /** Each condition must hold; absent ones do. */
  readonly when: {
    readonly clients?: readonly string[];
    readonly exceptClients?: readonly string[];
    /** One of them is consented to. */
    readonly purposes?: readonly string[];
    /** Whether there is an actor (RFC 8693 section 4.1), or a service that acts for itself. */
    readonly actor?: boolean;
  };
  /** No scope lifts what the schema leaves by default. */
  readonly nothingLifts: boolean;
  /** The least strict level, by category or `Type.field`. */
  readonly levels: ReadonlyMap<string, string>;
  /** Categories of these sensitivities get their strictest level. */
  readonly strictest: readonly Sensitivity[];
}

/** A role, and the scopes that only people with it may grant. */
export interface RolePolicy {
  readonly name: string;
  readonly mayGrant: readonly string[];
}

/** The ceiling of one application: nothing beyond it is granted or accepted. */
export interface ClientPolicy {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly purposes: readonly string[];
  /** Seconds; the longest that a consent to this client may last. */
  readonly longestConsentSeconds?: number;
  /** Name of one of {@link Policy.rateClasses}. */
  readonly rateClass?: string;
}

/** How often clients may ask: {@link requests} in any {@link perSeconds}. One entry of {@link Policy.rateClasses}. */
export interface RateClass {
  readonly name: string;
  /** Ordinary requests. An operation that costs more than one ordinary request counts as several. */
  readonly requests: number;
  readonly perSeconds: number;
  /** The static cost of one ordinary request. */
  readonly costPerRequest: number;
}

/** How a person must have signed in before scopes of a sensitivity count (RFC 9470 section 4). */
export interface StepUp {
  /** Applies only to scopes with this access; absent: to all. */
  readonly access?: 'read' | 'write';
  /** The token's `acr` must be one of these, in order of preference; absent: any. */
  readonly acrValues?: readonly string[];
  /** Seconds since the person signed in, at most; absent: any. */
  readonly maxAgeSeconds?: number;
}

/** A checked `policy.yaml`: the one source of what scopes, purposes, roles and clients mean. */
export interface Policy {
  /** The language of the sentences (BCP 47). */
  readonly language: string;
  readonly scopes: ReadonlyMap<string, ScopePolicy>;
  readonly purposes: ReadonlyMap<string, PurposePolicy>;
  readonly categories: ReadonlyMap<string, CategoryPolicy>;
  readonly minimize: readonly MinimizeRule[];
  readonly roles: ReadonlyMap<string, RolePolicy>;
  readonly clients: ReadonlyMap<string, ClientPolicy>;
  readonly rateClasses: ReadonlyMap<string, RateClass>;
  /** Seconds; the longest that any consent may last, by the most sensitive scope in it. */
  readonly longestConsentSeconds: Readonly<Partial<Record<Sensitivity, number>>>;
  readonly stepUp: ReadonlyMap<Sensitivity, StepUp>;
}
