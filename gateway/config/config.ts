import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { parse as parseYaml } from 'yaml';
import { shapeProblem } from '../../policy/index.js';
import type { AdministrationOptions } from '../administration.js';
import { MIN_NONCE_KEY_BYTES } from '../authenticate/dpop/nonce.js';
import type { DpopOptions } from '../authenticate/dpop/options.js';
import type { TokenIntrospectionOptions } from '../authenticate/token-introspection.js';
import type { IssuerOptions } from '../authenticate/issuers.js';
import { tokenLifetimes } from '../authenticate/lifetime.js';
import { Namespaces } from '../authenticate/namespaces.js';
import { requireTrustedAddresses } from '../authenticate/trusted-addresses.js';
import { ConfigurationError } from '../errors.js';
import { TrustedProxies } from '../http/proxies.js';
import type { ProxyOptions } from '../http/proxies.js';
import type { TlsOptions } from '../http/tls.js';
import type { SchemaIntrospectionRule } from '../schema-introspection/index.js';
import type { LimitOptions } from '../limit/request-limits.js';
import type { LogLevel } from '../log.js';
import { TxnTokenExchange } from '../propagate/txn-token-exchange.js';
import type { TxnTokenExchangeOptions } from '../propagate/txn-token-exchange.js';
import type { ProtectionOptions, RevocationOptions } from '../options/protection-options.js';
import type { SubgraphErrorOptions } from '../subgraph-errors/options.js';
import schema from './schema.json' with { type: 'json' };

/** An issuer as the file names it: keys are in files of their own. */
export interface ConfiguredIssuer extends Omit<IssuerOptions, 'introspection'> {
  readonly introspection?: Omit<TokenIntrospectionOptions, 'privateKey'> & {
    /** Absolute path. */
    readonly privateKeyFile?: string;
  };
}

/** A gateway's configuration file, checked; `schema.json` describes every key. */
export interface GatewayConfig {
  readonly listen?: { readonly host?: string; readonly port?: number; readonly tls?: TlsOptions };
  /** The address under which clients reach the gateway; default: the one it listens on. */
  readonly externalUrl?: string;
  readonly proxies?: ProxyOptions;
  readonly dpop?: Omit<DpopOptions, 'nonceKey' | 'replay'> & {
    /** Base64url. */
    readonly nonceKey?: string;
    readonly replay?: 'memory' | 'database';
    /** Connection string of the role that can claim. */
    readonly database?: string;
    readonly maxReplayEntries?: number;
  };
  /** Absolute path. */
  readonly supergraph: string;
  readonly issuers: readonly ConfiguredIssuer[];
  /** Absolute path of the policy file. */
  readonly policy?: string;
  readonly authorization?: ProtectionOptions['authorization'];
  readonly limits?: Omit<LimitOptions, 'planInWorker'>;
  readonly introspection?: SchemaIntrospectionRule;
  /** A listener of its own for Prometheus. */
  readonly metrics?: { readonly listen: { readonly host?: string; readonly port: number } };
  readonly policies?: {
    /** Absolute path of a Cedar file. */
    readonly cedar?: string;
    readonly timeoutMs?: number;
  };
  readonly http?: {
    /** Queries by GET. */
    readonly get?: boolean;
    readonly batch?: { readonly maxOperations?: number };
    readonly persistedQueries?: { readonly maxEntries?: number };
  };
  readonly propagation?: {
    readonly issuer?: string;
    readonly tokenLifetimeSeconds?: number;
    readonly bind?: 'none' | 'body';
    readonly passOn?: TxnTokenExchangeOptions;
    readonly keyFile?: string;
    readonly rotateKeysAfterSeconds?: number;
  };
  readonly revocation?: RevocationOptions;
  readonly administration?: AdministrationOptions;
  readonly subgraphs?: ProtectionOptions['subgraphs'];
  readonly audit?: {
    readonly mode?: 'required' | 'best-effort' | 'off';
    readonly database?: string;
    readonly file?: string;
    /** Base64url. */
    readonly pseudonymKey?: string;
  };
  readonly subgraphErrors?: SubgraphErrorOptions;
  readonly log?: { readonly level?: LogLevel };
}

// ajv-formats is CommonJS whose types say otherwise.
const addFormats = formats as unknown as (ajv: Ajv) => void;

/**
 * Reads a configuration file (YAML, of which JSON is a part), fills `${NAME}` from the environment, and checks it.
 *
 * @throws {ConfigurationError} with the path of the key in its message.
 */
export async function readConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<GatewayConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new ConfigurationError('', `${file} cannot be read (${code})`);
  }
  let raw: unknown;
  try {
    raw = parseYaml(text);
  } catch (error) {
    // Beside its own error the parser throws a plain one, for an alias of nothing and for one that grows without end.
    throw new ConfigurationError('', `${file}: ${error instanceof Error ? error.message : 'is no YAML'}`);
  }
  const config = checkConfig(fillFromEnvironment(raw, '', environment));
  const relative = (path: string): string => resolve(dirname(file), path);
  return {
    ...config,
    supergraph: relative(config.supergraph),
    issuers: config.issuers.map((issuer) =>
      issuer.introspection?.privateKeyFile === undefined
        ? issuer
        : {
            ...issuer,
            introspection: {
              ...issuer.introspection,
              privateKeyFile: relative(issuer.introspection.privateKeyFile),
            },
          },
    ),
    ...(config.policy === undefined ? {} : { policy: relative(config.policy) }),
    ...(config.propagation?.keyFile === undefined
      ? {}
      : { propagation: { ...config.propagation, keyFile: relative(config.propagation.keyFile) } }),
    ...(config.listen?.tls === undefined
      ? {}
      : { listen: { ...config.listen, tls: absoluteFiles(config.listen.tls, relative) } }),
    ...(config.policies?.cedar === undefined
      ? {}
      : { policies: { ...config.policies, cedar: relative(config.policies.cedar) } }),
    ...(config.audit?.file === undefined
      ? {}
      : { audit: { ...config.audit, file: relative(config.audit.file) } }),
  };
}

function absoluteFiles(tls: TlsOptions, absolute: (path: string) => string): TlsOptions {
  const { certFile, keyFile, clientCaFile } = tls;
  return {
    ...tls,
    certFile: absolute(certFile),
    keyFile: absolute(keyFile),
    ...(clientCaFile === undefined ? {} : { clientCaFile: absolute(clientCaFile) }),
  };
}

/** Checks what was read: the shape by the schema, then what a schema cannot say. @throws {ConfigurationError} */
export function checkConfig(value: unknown): GatewayConfig {
  const ajv = new Ajv({ strict: true, allErrors: false });
  addFormats(ajv);
  const validate = ajv.compile(schema);
  if (!validate(value)) {
    const { path, problem } = shapeProblem(validate.errors?.[0]);
    throw new ConfigurationError(path, problem);
  }
  const config = value as unknown as GatewayConfig;
  refuseContradictions(config);
  return config;
}

function refuseContradictions(config: GatewayConfig): void {
  const names = new Set<string>();
  let isIntrospecting = false;
  config.issuers.forEach(({ issuer, introspection }, index) => {
    const path = `issuers[${index}]`;
    if (introspection !== undefined) {
      if (isIntrospecting)
        throw new ConfigurationError(
          `${path}.introspection`,
          'is one too many: an opaque token does not say whose it is',
        );
      isIntrospecting = true;
      if ((introspection.clientSecret === undefined) === (introspection.privateKeyFile === undefined))
        throw new ConfigurationError(`${path}.introspection`, 'needs one of clientSecret and privateKeyFile');
    }
    if (names.has(issuer)) throw new ConfigurationError(`${path}.issuer`, 'is listed twice');
    names.add(issuer);
  });
  requireTrustedAddresses(config.issuers, config.revocation?.streams ?? []);
  // Throws for a lifetime that revocations are not known for.
  tokenLifetimes(config);
  // Throws for two that could have a name in common.
  new Namespaces(config.issuers);
  const streams = new Set<string>();
  config.revocation?.streams.forEach(({ issuer }, index) => {
    const path = `revocation.streams[${index}]`;
    if (!names.has(issuer)) throw new ConfigurationError(`${path}.issuer`, 'is none of the issuers');
    // Of two streams of one issuer either could pass for all that it announces.
    if (streams.has(issuer)) throw new ConfigurationError(`${path}.issuer`, 'is listed twice');
    streams.add(issuer);
  });
  refuseBindingContradictions(config, names);
  // Other gateways that read the file, and this one after a restart, would sign with a key that is not published any more.
  if (config.propagation?.keyFile !== undefined && config.propagation.rotateKeysAfterSeconds !== undefined) {
    throw new ConfigurationError('propagation.rotateKeysAfterSeconds', 'contradicts propagation.keyFile');
  }
  const { issuer = '', passOn } = config.propagation ?? {};
  // Throws for workloads that cannot be told apart, or could not show who they are.
  if (passOn !== undefined) new TxnTokenExchange(passOn, issuer);
  const { audit } = config;
  if (audit === undefined) return;
  if (audit.database !== undefined && audit.file !== undefined) {
    throw new ConfigurationError('audit.file', 'contradicts audit.database: give one of them');
  }
  const hasSink = audit.database !== undefined || audit.file !== undefined;
  if (audit.mode !== 'off' && !hasSink) {
    throw new ConfigurationError('audit', `mode ${audit.mode ?? 'best-effort'} needs "database" or "file"`);
  }
  if (audit.pseudonymKey !== undefined && Buffer.from(audit.pseudonymKey, 'base64url').length < 32) {
    throw new ConfigurationError('audit.pseudonymKey', 'must be at least 32 bytes in base64url');
  }
}

/** What tokens are bound to, and by whom the gateway is told of it. */
function refuseBindingContradictions(config: GatewayConfig, issuers: ReadonlySet<string>): void {
  const { dpop, externalUrl, listen, proxies } = config;
  if (externalUrl !== undefined && /[?#@]/.test(externalUrl))
    throw new ConfigurationError('externalUrl', 'must have no user information, query or fragment');
  if (listen?.tls?.clientCaFile !== undefined && listen.tls.requestClientCertificate !== true)
    throw new ConfigurationError('listen.tls.clientCaFile', 'needs requestClientCertificate: true');
  // Reads each address.
  new TrustedProxies(proxies);
  const { required, replay, database, nonce, nonceKey } = dpop ?? {};
  if (Array.isArray(required)) {
    required.forEach((name: string, index) => {
      if (!issuers.has(name))
        throw new ConfigurationError(`dpop.required[${index}]`, 'is none of the issuers');
    });
  }
  if (replay === 'database' && database === undefined)
    throw new ConfigurationError('dpop', 'replay: database needs "database"');
  if (replay !== 'database' && database !== undefined)
    throw new ConfigurationError('dpop.database', 'is used with replay: database only');
  if (nonceKey === undefined) return;
  if (nonce !== 'required')
    throw new ConfigurationError('dpop.nonceKey', 'is used with nonce: required only');
  if (Buffer.from(nonceKey, 'base64url').length < MIN_NONCE_KEY_BYTES)
    throw new ConfigurationError('dpop.nonceKey', 'must be at least 32 bytes in base64url');
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

function fillFromEnvironment(
  value: unknown,
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(VARIABLE, (_text, name: string) => {
      const found = Object.hasOwn(environment, name) ? environment[name] : undefined;
      if (found === undefined) throw new ConfigurationError(path, `the environment has no ${name}`);
      return found;
    });
  }
  if (Array.isArray(value)) {
    return value.map((entry, index) => fillFromEnvironment(entry, `${path}[${index}]`, environment));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [
        key,
        fillFromEnvironment(entry, path === '' ? key : `${path}.${key}`, environment),
      ]),
    );
  }
  return value;
}
