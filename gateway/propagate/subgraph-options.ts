/** The members of a verified delegation that a header can state. */
export const IDENTITY_SOURCES = Object.freeze([
  /** The person. Absent for a service, behind which there is no person. */
  'subject',
  /** The application. */
  'client',
  /** `sub` of whoever acts for the application (RFC 8693 section 4.1). */
  'actor',
  /** The consent's identifier. */
  'consent',
  /** Separated by spaces, as in RFC 6749 section 3.3. */
  'scopes',
  /** Those of the consent, separated by spaces. */
  'purposes',
  /** Those that the subgraph is told about (`roles`), separated by spaces. */
  'roles',
] as const);
export type IdentitySource = (typeof IDENTITY_SOURCES)[number];

/** Where the value of a header comes from. */
export type HeaderSource =
  | { readonly from: IdentitySource; readonly value?: never }
  | { readonly value: string; readonly from?: never };

/** How the gateway reaches one subgraph, and what it tells it beside the transaction token. */
export interface SubgraphOptions {
  /** The address, in place of the one in the supergraph. */
  readonly url?: string;
  /** Milliseconds for one request as a whole. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * The roles that this subgraph is told about, in the transaction token and by `from: roles`: those that its code asks for,
   * which no schema shows. Default: none.
   */
  readonly roles?: readonly string[];
  /** Request headers that the gateway sets, by name: from the verified delegation, or a constant. */
  readonly headers?: Readonly<Record<string, HeaderSource>>;
  /** Names of the client's own request headers that are passed on. Default: none. */
  readonly forwardHeaders?: readonly string[];
}

/** By subgraph name. */
export type SubgraphsOptions = Readonly<Record<string, SubgraphOptions>>;

const NO_OPTIONS: SubgraphOptions = Object.freeze({});

/** The options of one subgraph; a name such as `constructor` finds nothing that was not configured. */
export function optionsOfSubgraph(subgraphs: SubgraphsOptions | undefined, name: string): SubgraphOptions {
  if (subgraphs === undefined || !Object.hasOwn(subgraphs, name)) return NO_OPTIONS;
  return subgraphs[name] ?? NO_OPTIONS;
}
