import { aDatabaseUrl, keyPath } from '@behalf/directives/internal';
import { MIN_NONCE_KEY_BYTES } from '../authenticate/dpop/nonce.js';
import type { IssuerOptions } from '../authenticate/issuers.js';
import { tokenLifetimes } from '../authenticate/lifetime.js';
import { Namespaces } from '../authenticate/namespaces.js';
import { requireTrustedAddresses } from '../authenticate/trusted-addresses.js';
import { ConfigurationError } from '../errors.js';
import { subgraphAddressProblem } from '../propagate/subgraph-address.js';
import { compileSubgraphHeaders } from '../propagate/subgraph-headers.js';
import { TxnTokenExchange } from '../propagate/txn-token-exchange.js';
import type { Extras } from './extras.js';
import type { CheckedOptions } from './settings.js';

const MIN_PSEUDONYM_KEY_BYTES = 32;

/** Refuses what a schema cannot: contradictory keys. @throws {ConfigurationError} */
export function refuseContradictions(options: CheckedOptions, extras: Extras): void {
  const { issuers, revocation, propagation } = options;
  const names = issuerNames(issuers, extras);
  requireTrustedAddresses(issuers, revocation?.streams ?? []);
  // Throws for a lifetime that exceeds the memory of revocations.
  tokenLifetimes(options);
  // Throws for two issuers that could share a name.
  new Namespaces(issuers);
  refuseStreamContradictions(options);
  refuseUncalledHooks(options, extras);
  refuseDpopContradictions(options, names, extras);
  if (options.externalUrl !== undefined && /[?#@]/.test(options.externalUrl))
    throw new ConfigurationError('externalUrl', 'must have no user information, query or fragment');
  for (const [name, subgraph] of Object.entries(options.subgraphs)) {
    const path = keyPath('subgraphs', name);
    const problem = subgraph.url === undefined ? undefined : subgraphAddressProblem(subgraph.url);
    if (problem !== undefined) throw new ConfigurationError(`${path}.url`, problem);
    const key = decoded(subgraph.pseudonymKey);
    if (key === undefined) continue;
    if (subgraph.minimizeAtGateway !== true)
      throw new ConfigurationError(`${path}.pseudonymKey`, 'is used with minimizeAtGateway: true only');
    if (key.length < MIN_PSEUDONYM_KEY_BYTES)
      throw new ConfigurationError(
        `${path}.pseudonymKey`,
        `must be at least ${MIN_PSEUDONYM_KEY_BYTES} bytes in base64url`,
      );
  }
  // Throws for headers that must not be set or forwarded.
  compileSubgraphHeaders(options.subgraphs);
  // Throws for workloads that could not be distinguished, or could not authenticate.
  if (propagation.passOn !== undefined) new TxnTokenExchange(propagation.passOn, propagation.issuer ?? '');
  refuseAuditContradictions(options.audit, extras);
}

/** @throws {ConfigurationError} */
function issuerNames(
  issuers: readonly (IssuerOptions & { introspection?: { privateKeyFile?: string } | undefined })[],
  extras: Extras,
): ReadonlySet<string> {
  const names = new Set<string>();
  let isIntrospecting = false;
  issuers.forEach(({ issuer, introspection }, index) => {
    const path = `issuers[${index}]`;
    if (introspection !== undefined) {
      if (isIntrospecting)
        throw new ConfigurationError(
          `${path}.introspection`,
          'is one too many: an opaque token does not say whose it is',
        );
      isIntrospecting = true;
      const hasKey = introspection.privateKeyFile !== undefined || extras.privateKeyFor(index) !== undefined;
      if ((introspection.clientSecret !== undefined) === hasKey)
        throw new ConfigurationError(`${path}.introspection`, 'needs one of clientSecret and privateKeyFile');
    }
    if (names.has(issuer)) throw new ConfigurationError(`${path}.issuer`, 'is listed twice');
    names.add(issuer);
  });
  return names;
}

/** @throws {ConfigurationError} */
function refuseStreamContradictions({ revocation }: CheckedOptions): void {
  const streams = new Set<string>();
  revocation?.streams.forEach(({ issuer }, index) => {
    const path = `revocation.streams[${index}]`;
    // With two streams of one issuer, either could pass for everything that it announces.
    if (streams.has(issuer)) throw new ConfigurationError(`${path}.issuer`, 'is listed twice');
    streams.add(issuer);
  });
}

/** Without a stream nothing announces a revocation, and a cache that waits for it would stay as it is. @throws {ConfigurationError} */
function refuseUncalledHooks({ revocation }: CheckedOptions, extras: Extras): void {
  if (revocation !== undefined) return;
  for (const hook of ['onRevocation', 'onConsentChange'] as const) {
    if (extras.get(hook) !== undefined)
      throw new ConfigurationError(hook, 'would never be called: it needs revocation.streams');
  }
}

/** @throws {ConfigurationError} */
function refuseDpopContradictions(
  { dpop }: CheckedOptions,
  issuers: ReadonlySet<string>,
  extras: Extras,
): void {
  const { required, replay, database, nonce } = dpop;
  if (typeof required !== 'boolean') {
    required.forEach((name, index) => {
      // Under a mistyped name, the intended issuer's tokens would pass.
      if (!issuers.has(name))
        throw new ConfigurationError(`dpop.required[${index}]`, 'is not one of the issuers');
    });
  }
  if (replay === 'database' && database === undefined)
    throw new ConfigurationError('dpop', 'replay: database needs "database"');
  if (replay !== 'database' && database !== undefined)
    throw new ConfigurationError('dpop.database', 'is used with replay: database only');
  requirePostgres(database, 'dpop.database');
  const nonceKey = extras.get('dpop.nonceKey') ?? decoded(dpop.nonceKey);
  if (nonceKey === undefined) return;
  if (nonce !== 'required')
    throw new ConfigurationError('dpop.nonceKey', 'is used with nonce: required only');
  if (nonceKey.length < MIN_NONCE_KEY_BYTES)
    throw new ConfigurationError(
      'dpop.nonceKey',
      `must be at least ${MIN_NONCE_KEY_BYTES} bytes in base64url`,
    );
}

/** @throws {ConfigurationError} */
function refuseAuditContradictions(audit: CheckedOptions['audit'], extras: Extras): void {
  if (audit === undefined) return;
  requirePostgres(audit.database, 'audit.database');
  if (audit.database !== undefined && audit.file !== undefined)
    throw new ConfigurationError('audit.file', 'contradicts audit.database: give one of them');
  const hasSink = extras.get('audit.sink') !== undefined;
  const hasPlace = audit.database !== undefined || audit.file !== undefined;
  if (hasSink && hasPlace)
    throw new ConfigurationError('audit.sink', 'contradicts audit.database and audit.file: give one of them');
  if (audit.mode !== 'off' && !hasSink && !hasPlace)
    throw new ConfigurationError('audit', `mode ${audit.mode} needs "database" or "file"`);
  const key = extras.get('audit.pseudonymKey') ?? decoded(audit.pseudonymKey);
  if (key !== undefined && key.length < MIN_PSEUDONYM_KEY_BYTES)
    throw new ConfigurationError(
      'audit.pseudonymKey',
      `must be at least ${MIN_PSEUDONYM_KEY_BYTES} bytes in base64url`,
    );
}

/** The address may contain a password, so it is not repeated. @throws {ConfigurationError} */
function requirePostgres(address: string | undefined, path: string): void {
  const problem = address === undefined ? undefined : aDatabaseUrl(address);
  if (problem !== undefined) throw new ConfigurationError(path, problem);
}

function decoded(base64url: string | undefined): Uint8Array | undefined {
  return base64url === undefined ? undefined : Buffer.from(base64url, 'base64url');
}
