import type { Clock } from '@behalf/directives';
import {
  aBoolean,
  aClientKey,
  aClock,
  aSigningKey,
  aFunction,
  isRecord,
  withMethods,
} from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import type { JWK } from 'jose';
import type { AuditSink } from '@behalf/audit';
import type { Policy } from '@behalf/policy';
import type { RevocationHooks } from '@behalf/revocation';
import { ConfigurationError } from '../errors.js';
import type { GatewayLog } from '../log.js';
import { aPolicy, evaluatorList } from '../policies/index.js';
import type { PolicyEvaluator, PolicyFunction } from '../policies/index.js';
import type { ProofReplayStore } from '../proof-replay/index.js';
import { pathPattern } from './plain.js';

interface ExtraTypes {
  readonly log: GatewayLog;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly 'policies.functions': Readonly<Record<string, PolicyFunction>>;
  readonly 'policies.evaluators': readonly PolicyEvaluator[];
  readonly 'dpop.replay': ProofReplayStore;
  readonly 'dpop.nonceKey': Uint8Array;
  readonly 'audit.sink': AuditSink;
  readonly 'audit.pseudonymKey': Uint8Array;
  readonly 'propagation.key': JWK;
  readonly 'limits.planInWorker': boolean;
  readonly knowsClientCertificates: boolean;
  readonly onRevocation: NonNullable<RevocationHooks['onRevocation']>;
  readonly onConsentChange: NonNullable<RevocationHooks['onConsentChange']>;
}

/** A library option that no file can hold. */
interface Extra {
  readonly check: Check;
  /** The schema has another form of it, which is accepted as well. */
  readonly hasPlainForm?: true;
}

const bytes: Check = (value) => (value instanceof Uint8Array ? undefined : 'must be bytes, or base64url');
export const functionsByName: Check = (value) =>
  isRecord(value) && Object.values(value).every((each) => typeof each === 'function')
    ? undefined
    : 'must be functions by the names of policies';
const EXTRAS: Readonly<Record<keyof ExtraTypes | 'issuers[].introspection.privateKey', Extra>> = {
  log: { check: withMethods('a log, or { level }', ['log']), hasPlainForm: true },
  clock: { check: aClock },
  policy: { check: aPolicy },
  'policies.functions': { check: functionsByName },
  'policies.evaluators': { check: evaluatorList },
  'dpop.replay': {
    check: withMethods('memory, database or a store', ['claim', 'close']),
    hasPlainForm: true,
  },
  'dpop.nonceKey': { check: bytes, hasPlainForm: true },
  'audit.sink': { check: withMethods('an audit sink', ['append', 'close']) },
  'audit.pseudonymKey': { check: bytes, hasPlainForm: true },
  'propagation.key': { check: aSigningKey },
  'issuers[].introspection.privateKey': { check: aClientKey },
  'limits.planInWorker': { check: aBoolean },
  knowsClientCertificates: { check: aBoolean },
  onRevocation: { check: aFunction },
  onConsentChange: { check: aFunction },
};

/** Keys of the configuration file only, and their counterparts in the library. */
const OF_FILES_ONLY: Readonly<Record<string, string>> = {
  supergraph: 'give `supergraphSdl` in the first argument',
  listen: 'your server listens',
  proxies: 'your server knows its proxies',
  cors: 'your server answers browsers',
  shutdown: 'your server ends by itself',
  http: 'your server decides on GET, batches and persisted queries',
  metrics: 'serve `await gateway.metrics()`',
  administration: 'not available around your own server',
  'policies.cedar': 'give policies.evaluators: [await cedarEvaluator(text)]',
  'propagation.keyFile': 'give propagation.key',
  'issuers[].introspection.privateKeyFile': 'give introspection.privateKey',
};

/** Paths of keys that only a configuration file has. */
export const FILES_ONLY: readonly string[] = Object.keys(OF_FILES_ONLY);
/** Paths of keys that only the library has. */
export const LIBRARY_ONLY: readonly string[] = Object.keys(EXTRAS);

/** The options that no file can hold, separated so that the file's schema can check the rest. */
export class Extras {
  readonly #given = new Map<string, unknown>();

  get<Path extends keyof ExtraTypes>(path: Path): ExtraTypes[Path] | undefined {
    // Its type was checked when it was separated.
    return this.#given.get(path) as ExtraTypes[Path] | undefined;
  }

  /** The key by which the gateway authenticates to an issuer's token introspection. */
  privateKeyFor(issuerIndex: number): JWK | undefined {
    return this.#given.get(`issuers[${issuerIndex}].introspection.privateKey`) as JWK | undefined;
  }

  /** @returns the value, or undefined if it is one that no file can hold. @throws {ConfigurationError} */
  take(value: unknown, path: string): unknown {
    if (value === undefined) return undefined;
    const pattern = pathPattern(path);
    const instead = Object.hasOwn(OF_FILES_ONLY, pattern) ? OF_FILES_ONLY[pattern] : undefined;
    if (instead !== undefined)
      throw new ConfigurationError(path, `is a key of the configuration file only: ${instead}`);
    const extra = Object.hasOwn(EXTRAS, pattern) ? EXTRAS[pattern as keyof typeof EXTRAS] : undefined;
    if (extra === undefined) return value;
    const problem = extra.check(value);
    if (problem === undefined) {
      this.#given.set(path, value);
      return undefined;
    }
    if (extra.hasPlainForm === true) return value;
    throw new ConfigurationError(path, problem);
  }
}
