import type { JWK } from 'jose';

import { aClientKey, aSigningKey } from '@behalf/directives/internal';
import { PolicyError, readPolicy } from '@behalf/policy';
import type { Policy } from '@behalf/policy';
import type { IssuerOptions } from '../authenticate/issuers.js';
import { ConfigurationError } from '../errors.js';
import type { ProtectionOptions } from '../options/protection-options.js';
import { cedarEvaluator } from '../policies/index.js';
import type { PolicyEvaluator } from '../policies/index.js';
import type { CheckedConfig, ConfiguredIssuer } from './config.js';
import { readNamedFile } from '../named-file.js';

/**
 * The library options of a configuration file, with its key files read. `RuleFiles` reads the rules.
 *
 * @param url the address on which the gateway listens
 * @throws {ConfigurationError}
 */
export async function openOptions(config: CheckedConfig, url: string): Promise<ProtectionOptions> {
  const { authorization, introspection, revocation, subgraphs, subgraphErrors, dpop, audit } = config;
  const { issuer = url, keyFile, ...propagation } = config.propagation;
  return {
    issuers: await Promise.all(config.issuers.map(readIssuer)),
    propagation: { ...propagation, issuer, key: keyFile === undefined ? undefined : await readKey(keyFile) },
    policies: { timeoutMs: config.policies.timeoutMs },
    limits: config.limits,
    knowsClientCertificates:
      config.listen.tls?.requestClientCertificate === true || config.proxies?.clientCertificate === true,
    authorization,
    introspection,
    revocation,
    subgraphs,
    subgraphErrors,
    dpop,
    audit,
  };
}

/** @throws {ConfigurationError} */
export async function openPolicies({ policies }: CheckedConfig): Promise<PolicyEvaluator[]> {
  if (policies.cedar === undefined) return [];
  return [await cedarEvaluator(await readNamedFile(policies.cedar, 'policies.cedar'), 'policies.cedar')];
}

/** @throws {ConfigurationError} */
export async function policyFile(file: string): Promise<Policy> {
  try {
    return await readPolicy(file);
  } catch (error) {
    if (error instanceof PolicyError)
      throw new ConfigurationError(
        'policy',
        error.message,
        error.code === 'FILE_UNREADABLE' ? error.code : 'CONFIGURATION',
      );
    throw error;
  }
}

/** Reads the key by which the gateway authenticates to the issuer. @throws {ConfigurationError} */
async function readIssuer(
  { introspection, ...issuer }: ConfiguredIssuer,
  index: number,
): Promise<IssuerOptions> {
  if (introspection === undefined) return issuer;
  const { privateKeyFile, ...asking } = introspection;
  if (privateKeyFile === undefined) return { ...issuer, introspection: asking };
  const path = `issuers[${index}].introspection.privateKeyFile`;
  const text = await readNamedFile(privateKeyFile, path);
  const privateKey = parsedKey(text);
  if (aClientKey(privateKey) !== undefined)
    throw new ConfigurationError(
      path,
      `${privateKeyFile} does not hold a private key as JWK with its "alg": EdDSA, ES256, PS256 or RS256`,
    );
  return { ...issuer, introspection: { ...asking, privateKey: privateKey as JWK } };
}

/** @throws {ConfigurationError} */
async function readKey(file: string): Promise<JWK> {
  const text = await readNamedFile(file, 'propagation.keyFile');
  const key = parsedKey(text);
  if (aSigningKey(key) !== undefined)
    throw new ConfigurationError(
      'propagation.keyFile',
      `${file} does not hold an Ed25519 private key as JWK`,
    );
  return key as JWK;
}

/** Undefined for text that is not JSON: the parser's reason could quote the key. */
function parsedKey(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
