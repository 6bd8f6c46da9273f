import type { Clock } from '@behalf/directives';
import type { Policy } from '@behalf/policy';
import type { RevocationHooks, StreamOptions } from '@behalf/revocation';
import type { DpopOptions } from '../authenticate/dpop/options.js';
import type { IssuerOptions } from '../authenticate/issuers.js';
import type { LimitSettings } from '../limit/request-limits.js';
import type { GatewayLog, LogLevel } from '../log.js';
import type { PolicyEvaluator, PolicyFunction } from '../policies/index.js';
import type { PropagationSettings } from '../propagate/propagation-settings.js';
import type { SubgraphsOptions } from '../propagate/subgraph-options.js';
import type { SchemaIntrospectionRule } from '../schema-introspection/index.js';
import type { AuditOptions } from '../seal/audit-options.js';
import type { SubgraphErrorOptions } from '../subgraph-errors/options.js';

/** Settings as given: each has a default. */
export type Given<Settings> = { readonly [Key in keyof Settings]?: Settings[Key] | undefined };

/**
 * `filter`: denied fields are null. `reject`: an operation with a denial is refused as a whole. `shadow`: the client sees no
 * change; the log and the audit record show what would have been denied.
 */
export type AuthorizationMode = 'filter' | 'reject' | 'shadow';

/** How decisions are made and answered. */
export interface AuthorizationSettings {
  /** Default `filter`. */
  readonly mode: AuthorizationMode;
  /** `refuse`: anonymous callers are not served. Default `allow`. */
  readonly anonymous: 'allow' | 'refuse';
  /** `required`: a field without a rule that is not `@public` is refused. Default `open`, as in the standard. */
  readonly coverage: 'required' | 'open';
  /** Errors with their own path per denied selection, and per selection that a failed subgraph made null. Default 20. */
  readonly maxPathsPerSelection: number;
  /** Errors of one response; one more counts those left out. Default 1,000. */
  readonly maxErrors: number;
  /**
   * Whether a client that sends `Behalf-Minimized: paths` is told which fields of the response are minimized, and how
   * (`extensions.minimized`). Default true.
   */
  readonly minimizedPaths: boolean;
}

/** The revocation streams that the gateway follows. */
export interface RevocationSettings {
  readonly streams: readonly StreamOptions[];
  /** Milliseconds. Default 75,000: two long polls of 30 s, and some slack. */
  readonly maxStalenessMs: number;
  /**
   * For issuers with a stream and without their own value, in seconds. A token with a longer lifetime is refused. Default
   * 3,600.
   */
  readonly maxTokenLifetimeSeconds: number;
  /** Revocations kept in memory. Default 1,000,000. */
  readonly maxEntries: number;
  /** This gateway's name for callers that wait for all gateways. Default: host name and process. */
  readonly instance: string | undefined;
}

/** The option `revocation`: {@link RevocationSettings}, all but `streams` with a default. */
export type RevocationOptions = Given<Omit<RevocationSettings, 'streams'>> &
  Pick<RevocationSettings, 'streams'>;

/** The option `propagation`: {@link PropagationSettings}, all but `issuer` with a default. */
export type PropagationOptions = Given<Omit<PropagationSettings, 'issuer'>> &
  Pick<PropagationSettings, 'issuer'>;

/** The evaluation of `@policy`, in addition to the policies that a token brings. */
export interface PolicyAnswerOptions {
  /** Policies as functions, by name. */
  readonly functions?: Readonly<Record<string, PolicyFunction>> | undefined;
  /** Further evaluators, such as `await cedarEvaluator(text)`. No two may answer the same policy. */
  readonly evaluators?: readonly PolicyEvaluator[] | undefined;
  /** Milliseconds; a policy that takes longer denies. Default 1,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The options of {@link protectGateway}. They have the keys of the configuration file and are checked by its schema
 * (`gateway/options/schema.json`), and also accept functions and objects that a file cannot hold.
 *
 * @example
 * ```ts
 * import type { ProtectionOptions } from '@behalf/gateway';
 *
 * export const options: ProtectionOptions = {
 *   issuers: [{ issuer: 'https://login.example', audience: 'https://api.example/graphql' }],
 *   propagation: { issuer: 'https://gateway.example' },
 *   authorization: { mode: 'shadow' },
 *   audit: { mode: 'required', file: '/var/log/behalf/audit.jsonl' },
 * };
 * ```
 */
export interface ProtectionOptions extends RevocationHooks {
  /** The issuers whose access tokens are accepted; a token's `iss` selects one. */
  readonly issuers: readonly IssuerOptions[];
  readonly propagation: PropagationOptions;
  readonly authorization?: Given<AuthorizationSettings> | undefined;
  /** The callers who may read the schema. Default `authenticated`. */
  readonly introspection?: SchemaIntrospectionRule | undefined;
  /** How large an operation may be. */
  readonly limits?: Given<LimitSettings> | undefined;
  /**
   * The address at which clients reach the gateway. With it every challenge names the metadata of the protected resource (RFC
   * 9728), which must then be served. Default: none.
   */
  readonly externalUrl?: string | undefined;
  /** DPoP-bound tokens, and their proofs (RFC 9449). */
  readonly dpop?: DpopOptions | undefined;
  /** Whether `IncomingRequest.clientCertificate` is set for clients with a certificate; for the metadata. Default false. */
  readonly knowsClientCertificates?: boolean | undefined;
  /** Default: revocations are unknown, and a token is valid until it expires. */
  readonly revocation?: RevocationOptions | undefined;
  /** Default `{ mode: 'off' }`. */
  readonly audit?: AuditOptions | undefined;
  readonly policies?: PolicyAnswerOptions | undefined;
  /**
   * The loaded policy file: `await readPolicy(file)`. The clients' ceilings and rate limits. It must name the supergraph's
   * scopes. Default: no ceiling.
   */
  readonly policy?: Policy | undefined;
  /** How each subgraph is called, and what it gets besides the transaction token, by subgraph name. */
  readonly subgraphs?: SubgraphsOptions | undefined;
  /** Which messages of subgraph errors reach a client or the log. */
  readonly subgraphErrors?: SubgraphErrorOptions | undefined;
  /** Default: JSON lines on stderr, from level `info` up. `silentLog` writes nothing. */
  readonly log?: GatewayLog | { readonly level?: LogLevel | undefined } | undefined;
  /** Tells the time and starts timers. Default: the machine's own. */
  readonly clock?: Clock | undefined;
}
