/** The members of a verified delegation that a header can state. */
export const IDENTITY_SOURCES = Object.freeze([
  /** The person. Absent for a service, which has none. */
  'subject',
  /** The application. */
  'client',
  /** `sub` of the application's actor (RFC 8693 section 4.1). */
  'actor',
  /** The consent's identifier. */
  'consent',
  /** Separated by spaces, as in RFC 6749 section 3.3. */
  'scopes',
  /** Those of the consent, separated by spaces. */
  'purposes',
  /** Those that the subgraph may get (`roles`), separated by spaces. */
  'roles',
] as const);
/** The parts of the verified delegation that a header can hold. See {@link HeaderSource}. */
export type IdentitySource = (typeof IDENTITY_SOURCES)[number];

/** The source of a header's value. */
export type HeaderSource =
  | { readonly from: IdentitySource; readonly value?: never }
  | { readonly value: string; readonly from?: never };

/** How the gateway calls one subgraph, and what it sends besides the transaction token. */
export interface SubgraphOptions {
  /** The address, in place of the one in the supergraph. */
  readonly url?: string;
  /** Who answers for its data, such as a team. Records name them. */
  readonly owner?: string;
  /** Milliseconds for one request as a whole. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * The roles that this subgraph gets, in the transaction token and by `from: roles`: those that its code needs, which no
   * schema shows. Default: none.
   */
  readonly roles?: readonly string[];
  /** Request headers that the gateway sets, by name: from the verified delegation, or a constant. */
  readonly headers?: Readonly<Record<string, HeaderSource>>;
  /**
   * For a subgraph without the library: the gateway minimizes the values in its answers. Default false: `@minimize` is then enforced
   * by nobody there.
   */
  readonly minimizeAtGateway?: boolean;
  /** At least 32 bytes in base64url, for `PSEUDONYMIZE`, `NOISE` and `SHIFT`: that of the subgraphs with the same fields. */
  readonly pseudonymKey?: string;
  /** Names of the client's own request headers that are passed on. Default: none. */
  readonly forwardHeaders?: readonly string[];
}

/** By subgraph name. */
export type SubgraphsOptions = Readonly<Record<string, SubgraphOptions>>;

const NO_OPTIONS: SubgraphOptions = Object.freeze({});

/** The options of one subgraph; a name such as `constructor` finds only what was configured. */
export function optionsOfSubgraph(subgraphs: SubgraphsOptions | undefined, name: string): SubgraphOptions {
  if (subgraphs === undefined || !Object.hasOwn(subgraphs, name)) return NO_OPTIONS;
  return subgraphs[name] ?? NO_OPTIONS;
}
