/** How much harm a scope does in the wrong hands; from least to most. */
export const SENSITIVITIES = ['low', 'personal', 'sensitive'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

export interface ScopePolicy {
  readonly name: string;
  /** What it lets an application do, in words for the person who is asked. */
  readonly sentence: string;
  readonly access: 'read' | 'write';
  readonly sensitivity: Sensitivity;
  /** Something else than a rule of the schema asks for it, such as the gateway's administration. */
  readonly outsideSchema?: boolean;
  /** Still honoured, no longer to be asked for. */
  readonly deprecated?: ScopeDeprecation;
}

export interface ScopeDeprecation {
  /** Calendar day, `YYYY-MM-DD`. */
  readonly since: string;
  /** Last calendar day on which it is honoured. */
  readonly until?: string;
  readonly replacedBy?: readonly string[];
}

export interface PurposePolicy {
  readonly name: string;
  readonly sentence: string;
}

/** A role of people, and the scopes that only they may give away. */
export interface RolePolicy {
  readonly name: string;
  readonly mayGrant: readonly string[];
}

/** The ceiling of one application: nothing beyond it is granted, and nothing beyond it is honoured. */
export interface ClientPolicy {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly purposes: readonly string[];
  /** Seconds; the longest that a consent to this client may last. */
  readonly longestConsentSeconds?: number;
  /** Name of one of {@link Policy.rateClasses}. */
  readonly rateClass?: string;
}

export interface RateClass {
  readonly name: string;
  /** Ordinary requests; an operation that costs more than one counts as several. */
  readonly requests: number;
  readonly perSeconds: number;
  /** Static cost of an ordinary request. */
  readonly costPerRequest: number;
}

/** How a person must have signed in before scopes of a sensitivity count (RFC 9470 section 4). */
export interface StepUp {
  /** Only of the scopes with this access; absent: of all. */
  readonly access?: 'read' | 'write';
  /** The token's `acr` must be one of them, the preferred one first; absent: any. */
  readonly acrValues?: readonly string[];
  /** Seconds since the person signed in, at most; absent: any. */
  readonly maxAgeSeconds?: number;
}

/** `policy.yaml`, checked: the one source of what scopes, purposes, roles and clients mean. */
export interface Policy {
  readonly scopes: ReadonlyMap<string, ScopePolicy>;
  readonly purposes: ReadonlyMap<string, PurposePolicy>;
  readonly roles: ReadonlyMap<string, RolePolicy>;
  readonly clients: ReadonlyMap<string, ClientPolicy>;
  readonly rateClasses: ReadonlyMap<string, RateClass>;
  /** Seconds; the longest that any consent may last, by the most sensitive scope in it. */
  readonly longestConsentSeconds: Readonly<Partial<Record<Sensitivity, number>>>;
  readonly stepUp: ReadonlyMap<Sensitivity, StepUp>;
}
