import { dirname, resolve } from 'node:path';
import { isRecord, kindOf } from '@behalf/directives/internal';
import type { ShutdownOptions } from '@behalf/http';
import { parseYamlFile, readTextFile, requireKeys } from '@behalf/policy/internal';
import type { DpopOptions } from '../authenticate/dpop/options.js';
import type { IssuerOptions } from '../authenticate/issuers.js';
import type { TokenIntrospectionOptions } from '../authenticate/token-introspection.js';
import { ConfigurationError } from '../errors.js';
import type { CorsOptions } from '../http/cors.js';
import { corsOf } from './cors-of.js';
import { fillFromEnvironment } from './environment.js';
import { TrustedProxies } from '../http/proxies.js';
import type { ProxyOptions } from '../http/proxies.js';
import type { TlsOptions } from '../http/tls.js';
import type { LimitSettings } from '../limit/request-limits.js';
import type { LogLevel } from '../log.js';
import { refuseContradictions } from '../options/contradictions.js';
import { Extras } from '../options/extras.js';
import { mapPlain, pathPattern } from '../options/plain.js';
import type { Given, ProtectionOptions } from '../options/protection-options.js';
import type { CheckedOptions } from '../options/settings.js';
import { checkShape } from '../options/validate.js';
import type { PropagationSettings } from '../propagate/propagation-settings.js';
import type { AuditOptions } from '../seal/audit-options.js';

/** An issuer in the file: its keys are in separate files. */
export interface ConfiguredIssuer extends Omit<IssuerOptions, 'introspection'> {
  readonly introspection?: Omit<TokenIntrospectionOptions, 'privateKey'> & {
    /** Absolute path. */
    readonly privateKeyFile?: string;
  };
}

/** Key `administration` of the configuration. Without it, `/admin/explain` does not exist. */
export interface AdministrationOptions {
  /** Tokens without this scope are refused. */
  readonly scope: string;
}

export type { ShutdownOptions };

type KeysOfBoth =
  'authorization' | 'introspection' | 'externalUrl' | 'revocation' | 'subgraphs' | 'subgraphErrors';

/** A gateway's configuration file as written; `options/schema.json` describes every key. Shared keys mean the same in the library. */
export interface GatewayConfig extends Pick<ProtectionOptions, KeysOfBoth> {
  readonly listen?: { readonly host?: string; readonly port?: number; readonly tls?: TlsOptions } | undefined;
  readonly proxies?: ProxyOptions | undefined;
  readonly cors?: CorsOptions | undefined;
  readonly shutdown?: ShutdownOptions | undefined;
  readonly dpop?: DpopOptions | undefined;
  /** Absolute path. */
  readonly supergraph: string;
  readonly issuers: readonly ConfiguredIssuer[];
  /** Absolute path of the policy file. */
  readonly policy?: string | undefined;
  readonly limits?: Given<Omit<LimitSettings, 'planInWorker'>> | undefined;
  /** A separate listener for Prometheus. */
  readonly metrics?: { readonly listen: { readonly host?: string; readonly port: number } } | undefined;
  readonly policies?:
    | {
        /** Absolute path of a Cedar file. */
        readonly cedar?: string | undefined;
        readonly timeoutMs?: number | undefined;
      }
    | undefined;
  readonly http?:
    | {
        /** Queries by GET. */
        readonly get?: boolean;
        readonly batch?: { readonly maxOperations?: number };
        readonly persistedQueries?: { readonly maxEntries?: number };
      }
    | undefined;
  readonly propagation?:
    | (Given<Omit<PropagationSettings, 'key'>> & {
        /** Absolute path. */
        readonly keyFile?: string | undefined;
      })
    | undefined;
  readonly administration?: AdministrationOptions | undefined;
  readonly audit?: AuditOptions | undefined;
  readonly log?: { readonly level?: LogLevel | undefined } | undefined;
}

/** The same, checked and complete. */
export interface CheckedConfig extends Omit<CheckedOptions, 'issuers' | 'propagation' | 'policies'> {
  readonly listen: { readonly host: string; readonly port: number; readonly tls?: TlsOptions };
  readonly proxies?: ProxyOptions;
  readonly cors?: CorsOptions;
  readonly shutdown: Required<ShutdownOptions>;
  readonly supergraph: string;
  readonly issuers: readonly ConfiguredIssuer[];
  readonly policy?: string;
  readonly metrics?: { readonly listen: { readonly host: string; readonly port: number } };
  readonly policies: { readonly cedar?: string; readonly timeoutMs: number };
  readonly http: {
    readonly get: boolean;
    readonly batch?: { readonly maxOperations: number };
    readonly persistedQueries?: { readonly maxEntries: number };
  };
  readonly propagation: CheckedOptions['propagation'] & { readonly keyFile?: string };
  readonly administration?: AdministrationOptions;
}

/**
 * Reads a configuration file (YAML, of which JSON is a part), fills `${NAME}` from the environment, and checks it.
 *
 * @throws {ConfigurationError} `FILE_UNREADABLE`, `CONFIGURATION`; the message begins with the file or the path of the key
 *
 * @example
 * ```ts
 * import { readConfig, startGateway } from '@behalf/gateway';
 *
 * const { url } = await startGateway(await readConfig('gateway.yaml'));
 * ```
 */
export async function readConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CheckedConfig> {
  // It is read once, at the start, so it may be a pipe.
  const unreadable = (problem: string): Error => new ConfigurationError('', problem, 'FILE_UNREADABLE');
  const text = await readTextFile(file, unreadable, { allowPipes: true });
  const refuse = (problem: string): Error => new ConfigurationError('', problem);
  const raw = requireKeys(parseYamlFile(text, file, refuse), file, refuse);
  const config = checkConfig(fillFromEnvironment(raw, environment));
  const toAbsolute = (value: unknown, path: string): unknown =>
    typeof value === 'string' && FILES.has(pathPattern(path)) ? resolve(dirname(file), value) : value;
  return mapPlain(config, toAbsolute) as CheckedConfig;
}

/** Keys that name files, relative to the configuration file. */
const FILES: ReadonlySet<string> = new Set([
  'supergraph',
  'policy',
  'policies.cedar',
  'propagation.keyFile',
  'issuers[].introspection.privateKeyFile',
  'listen.tls.certFile',
  'listen.tls.keyFile',
  'listen.tls.clientCaFile',
  'audit.file',
]);

/**
 * Checks a configuration and fills in its defaults: the shape by the schema, then what a schema cannot express.
 *
 * @throws {ConfigurationError} with the path of the key in its message.
 *
 * @example
 * ```ts
 * import { checkConfig, startGateway } from '@behalf/gateway';
 *
 * const config = checkConfig({
 *   listen: { port: 4000 },
 *   supergraph: '/etc/behalf/supergraph.graphql',
 *   issuers: [{ issuer: 'https://login.example', audience: 'https://api.example/graphql' }],
 * });
 * const { url } = await startGateway(config);
 * ```
 */
export function checkConfig(value: unknown): CheckedConfig {
  if (!isRecord(value))
    throw new ConfigurationError('', `the configuration must be an object, not ${kindOf(value)}`);
  const checked = checkShape(value, 'file') as CheckedConfig;
  refuseContradictions(checked, new Extras());
  refuseServerContradictions(checked);
  return checked;
}

function refuseServerContradictions(config: CheckedConfig): void {
  const { listen, proxies, propagation } = config;
  if (listen.tls?.clientCaFile !== undefined && listen.tls.requestClientCertificate !== true)
    throw new ConfigurationError('listen.tls.clientCaFile', 'needs requestClientCertificate: true');
  // Reads each address.
  new TrustedProxies(proxies);
  // Reads each origin.
  corsOf(config);
  // Other gateways with this file, and this one after a restart, would sign with a key that is no longer published.
  if (propagation.keyFile !== undefined && propagation.rotateKeysAfterSeconds !== undefined)
    throw new ConfigurationError('propagation.rotateKeysAfterSeconds', 'contradicts propagation.keyFile');
}
