import type { JWK } from 'jose';
import type { Policy } from '../../policy/index.js';
import type { DpopOptions } from '../authenticate/dpop/options.js';
import type { IssuerOptions } from '../authenticate/issuers.js';
import type { LimitOptions } from '../limit/request-limits.js';
import type { GatewayLog } from '../log.js';
import type { PolicyEvaluator, PolicyFunction } from '../policies/index.js';
import type { TxnTokenExchangeOptions } from '../propagate/txn-token-exchange.js';
import type { PropagationOptions } from '../propagate/txn-token.js';
import type { StreamOptions } from '../revocation/receiver.js';
import type { SchemaIntrospectionRule } from '../schema-introspection/index.js';
import type { AuditOptions } from '../seal/audit-options.js';
import type { SubgraphErrorOptions } from '../subgraph-errors/options.js';

/**
 * `filter`: denied fields are null. `reject`: an operation with a denial is refused as a whole. `shadow`: nothing changes for
 * the client; the log and the audit record tell what would have been denied.
 */
export type AuthorizationMode = 'filter' | 'reject' | 'shadow';

export interface RevocationOptions {
  readonly streams: readonly StreamOptions[];
  /** Default 75,000: two long polls of 30 s and time to be late. */
  readonly maxStalenessMs?: number;
  /** For issuers with a stream that do not say their own. Default 3,600. A token that claims a longer life is refused. */
  readonly maxTokenLifetimeSeconds?: number;
  readonly maxEntries?: number;
  /** How this gateway is called where somebody waits for all of them. Default: host name and process. */
  readonly instance?: string;
}

export interface ProtectionOptions {
  /** How large an operation may be. Every limit has a default. */
  readonly limits?: LimitOptions;
  readonly issuers: readonly IssuerOptions[];
  /**
   * The address under which clients reach the gateway. With it every challenge names the metadata of the protected resource
   * (RFC 9728), which is then to be served.
   */
  readonly externalUrl?: string;
  readonly dpop?: DpopOptions;
  /** Whether `Incoming.clientCertificate` is told where there is one; for the metadata. Default: false. */
  readonly knowsClientCertificates?: boolean;
  readonly authorization?: {
    readonly mode?: AuthorizationMode;
    readonly anonymous?: 'allow' | 'refuse';
    /** `required`: a field without a rule that is not `@public` is refused. Default `open`, as the standard has it. */
    readonly coverage?: 'required' | 'open';
    /** Errors with a path of their own for each denied selection, and for each that a failed subgraph left null. Default 20. */
    readonly maxPathsPerSelection?: number;
    /** Errors of one answer; then one that says how many more there are. Default 1,000. */
    readonly maxErrors?: number;
  };
  /** Default `authenticated`. */
  readonly introspection?: SchemaIntrospectionRule;
  readonly propagation: PropagationOptions & {
    /** Ed25519 private key (RFC 8037); default: one is made for as long as the gateway runs. */
    readonly key?: JWK;
    /**
     * A key signs for so long; the one that takes over has been published since the one before did. Longer than subgraphs keep a
     * key set (10 minutes). Default: as long as the gateway runs.
     */
    readonly rotateKeysAfterSeconds?: number;
    /** Workloads that may have a transaction token exchanged for one of another audience. Default: none. */
    readonly passOn?: TxnTokenExchangeOptions;
  };
  readonly revocation?: RevocationOptions;
  /** Default `off`. */
  readonly audit?: AuditOptions;
  /** Policies that are functions, by name. */
  readonly policies?: Readonly<Record<string, PolicyFunction>>;
  /** Further evaluators, such as one of a Cedar file. No two may answer one policy. */
  readonly policyEvaluators?: readonly PolicyEvaluator[];
  /** Default 1,000. A policy that takes longer denies. */
  readonly policyTimeoutMs?: number;
  /** What clients may hold at most, and how often they may ask. It must name the scopes that the supergraph names. */
  readonly policy?: Policy;
  readonly subgraphs?: {
    /** Addresses that replace those of the supergraph, by subgraph name. */
    readonly urls?: Readonly<Record<string, string>>;
    /** Default 30,000. */
    readonly timeoutMs?: number;
    /**
     * Roles that a subgraph is told of, by subgraph name: those that its code asks for, which no schema shows. Default:
     * none.
     */
    readonly roles?: Readonly<Record<string, readonly string[]>>;
  };
  /** Which words of subgraphs' errors reach a client or the log. Default: messages of `BAD_USER_INPUT` reach the client. */
  readonly subgraphErrors?: SubgraphErrorOptions;
  readonly log?: GatewayLog;
}
