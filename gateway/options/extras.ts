import type { Clock } from '@behalf/directives';
import { aClock, isRecord } from '@behalf/directives/internal';
import type { JWK } from 'jose';
import type { AuditSink } from '@behalf/audit';
import type { Policy } from '@behalf/policy';
import type { RevocationHooks } from '@behalf/revocation';
import { ConfigurationError } from '../errors.js';
import type { GatewayLog } from '../log.js';
import type { PolicyEvaluator, PolicyFunction } from '../policies/index.js';
import type { ProofReplayStore } from '../proof-replay/index.js';
import { mapPlain, pathPattern } from './plain.js';

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
  readonly isGiven: (value: unknown) => boolean;
  readonly problem: string;
  /** The schema has another form of it, which is accepted as well. */
  readonly hasPlainForm?: true;
}

const isBytes = (value: unknown): boolean => value instanceof Uint8Array;
const hasMethods =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

const EXTRAS: Readonly<Record<keyof ExtraTypes | 'issuers[].introspection.privateKey', Extra>> = {
  log: { isGiven: hasMethods('log'), problem: 'must be a log, or { level }', hasPlainForm: true },
  clock: {
    isGiven: (value) => aClock(value) === undefined,
    problem: 'must be a clock, with now, monotonic, after and sleep',
  },
  policy: {
    isGiven: (value) => isRecord(value) && value.scopes instanceof Map,
    problem: 'must be a policy that was read: await readPolicy(file)',
  },
  'policies.functions': {
    isGiven: (value) => isRecord(value) && Object.values(value).every((each) => typeof each === 'function'),
    problem: 'must be functions by the names of policies',
  },
  'policies.evaluators': {
    isGiven: (value) => Array.isArray(value) && value.every(hasMethods('prepare')),
    problem: 'must be a list of policy evaluators',
  },
  'dpop.replay': {
    isGiven: hasMethods('claim', 'close'),
    problem: 'must be memory, database or a store',
    hasPlainForm: true,
  },
  'dpop.nonceKey': { isGiven: isBytes, problem: 'must be bytes, or base64url', hasPlainForm: true },
  'audit.sink': { isGiven: hasMethods('append', 'close'), problem: 'must be an audit sink' },
  'audit.pseudonymKey': { isGiven: isBytes, problem: 'must be bytes, or base64url', hasPlainForm: true },
  'propagation.key': { isGiven: isRecord, problem: 'must be a private key as JWK' },
  'issuers[].introspection.privateKey': { isGiven: isRecord, problem: 'must be a private key as JWK' },
  'limits.planInWorker': { isGiven: isBoolean, problem: 'must be boolean' },
  knowsClientCertificates: { isGiven: isBoolean, problem: 'must be boolean' },
  onRevocation: { isGiven: isFunction, problem: 'must be a function' },
  onConsentChange: { isGiven: isFunction, problem: 'must be a function' },
};

/** Keys of the configuration file only, and their counterparts in the library. */
const OF_FILES_ONLY: Readonly<Record<string, string>> = {
  supergraph: 'give `supergraphSdl` in the first argument',
  listen: 'your server listens',
  proxies: 'your server knows its proxies',
  cors: 'your server answers browsers',
  shutdown: 'your server ends by itself',
  http: 'your server knows its ways of asking',
  metrics: 'serve `await gateway.metrics()`',
  administration: 'not available around your own server',
  'policies.cedar': 'give policies.evaluators: [await cedarEvaluator(text)]',
  'propagation.keyFile': 'give propagation.key',
  'issuers[].introspection.privateKeyFile': 'give introspection.privateKey',
};

/** The options that no file can hold, separated so that the file's schema can check the rest. */
export class Extras {
  readonly #given = new Map<string, unknown>();

  /** @returns the rest, as separate data. @throws {ConfigurationError} */
  takeFrom(options: unknown): Record<string, unknown> {
    if (!isRecord(options)) throw new ConfigurationError('', 'the options must be an object');
    return mapPlain(options, (value, path) => this.#take(value, path)) as Record<string, unknown>;
  }

  get<Path extends keyof ExtraTypes>(path: Path): ExtraTypes[Path] | undefined {
    // Its type was checked when it was separated.
    return this.#given.get(path) as ExtraTypes[Path] | undefined;
  }

  /** The key by which the gateway authenticates to an issuer's token introspection. */
  privateKeyFor(issuerIndex: number): JWK | undefined {
    return this.#given.get(`issuers[${issuerIndex}].introspection.privateKey`) as JWK | undefined;
  }

  #take(value: unknown, path: string): unknown {
    if (value === undefined) return undefined;
    const pattern = pathPattern(path);
    const instead = Object.hasOwn(OF_FILES_ONLY, pattern) ? OF_FILES_ONLY[pattern] : undefined;
    if (instead !== undefined)
      throw new ConfigurationError(path, `is a key of the configuration file only: ${instead}`);
    const extra = Object.hasOwn(EXTRAS, pattern) ? EXTRAS[pattern as keyof typeof EXTRAS] : undefined;
    if (extra === undefined) return value;
    if (extra.isGiven(value)) {
      this.#given.set(path, value);
      return undefined;
    }
    if (extra.hasPlainForm === true) return value;
    throw new ConfigurationError(path, extra.problem);
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
