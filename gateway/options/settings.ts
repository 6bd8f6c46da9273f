import type { Clock } from '@behalf/directives';
import type { Policy } from '@behalf/policy';
import type { RevocationHooks } from '@behalf/revocation';
import type { DpopSettings } from '../authenticate/dpop/options.js';
import type { IssuerOptions } from '../authenticate/issuers.js';
import type { LimitSettings } from '../limit/request-limits.js';
import type { GatewayLog, LogLevel } from '../log.js';
import type { PolicyEvaluator } from '../policies/index.js';
import type { PropagationSettings } from '../propagate/propagation-settings.js';
import type { SubgraphsOptions } from '../propagate/subgraph-options.js';
import type { SchemaIntrospectionRule } from '../schema-introspection/index.js';
import type { AuditMode, AuditSettings } from '../seal/audit-options.js';
import type { BreakGlassOptions } from '../seal/break-glass.js';
import type { SubgraphErrorSettings } from '../subgraph-errors/options.js';
import type { AuthorizationSettings, RevocationSettings } from './protection-options.js';

/** The options of a gateway, complete: every default is filled in, and nothing contradicts. */
export interface Settings {
  readonly issuers: readonly IssuerOptions[];
  readonly propagation: PropagationSettings;
  readonly authorization: AuthorizationSettings;
  readonly introspection: SchemaIntrospectionRule;
  readonly limits: LimitSettings;
  readonly externalUrl: string | undefined;
  readonly dpop: DpopSettings;
  readonly knowsClientCertificates: boolean;
  readonly revocation: RevocationSettings | undefined;
  readonly audit: AuditSettings;
  readonly policies: {
    /** Policies as functions, which no file replaces. */
    readonly functions: readonly PolicyEvaluator[];
    readonly evaluators: readonly PolicyEvaluator[];
    readonly timeoutMs: number;
  };
  readonly policy: Policy | undefined;
  readonly subgraphs: SubgraphsOptions;
  readonly subgraphErrors: SubgraphErrorSettings;
  readonly hooks: RevocationHooks;
  readonly log: GatewayLog;
  readonly clock: Clock;
}

/** Options after the schema's check: complete, except for what a file cannot hold. */
export interface CheckedOptions extends Pick<
  Settings,
  'authorization' | 'introspection' | 'externalUrl' | 'subgraphs' | 'subgraphErrors'
> {
  readonly issuers: readonly IssuerOptions[];
  readonly propagation: Omit<PropagationSettings, 'key' | 'issuer'> & { readonly issuer?: string };
  readonly limits: Omit<LimitSettings, 'planInWorker'>;
  readonly dpop: Omit<DpopSettings, 'nonceKey' | 'replay'> & {
    readonly nonceKey?: string;
    readonly replay: 'memory' | 'database';
    readonly database?: string;
    readonly maxReplayEntries: number;
  };
  readonly revocation?: RevocationSettings;
  readonly audit?: {
    readonly mode: AuditMode | 'off';
    readonly file?: string;
    readonly database?: string;
    readonly pseudonymKey?: string;
    readonly anonymous: boolean;
    readonly breakGlass?: BreakGlassOptions;
  };
  readonly policies: { readonly timeoutMs: number };
  readonly log: { readonly level: LogLevel };
}
