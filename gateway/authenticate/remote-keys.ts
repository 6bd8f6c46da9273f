import { createHash } from 'node:crypto';
import { isRecord } from '@behalf/directives/internal';
import { createLocalJWKSet, errors } from 'jose';
import type { CryptoKey, FlattenedJWSInput, JWTHeaderParameters } from 'jose';
import { FetchError, fetchJson } from '../http/fetch-json.js';
import type { FetchFailure } from '../http/fetch-json.js';

/** One public key of an issuer, for as long as the issuer publishes it without a change. */
export interface VerificationKey {
  /** `kid` */
  readonly keyId: string | undefined;
  /** All that says which key it is and what it may be used for. */
  readonly identity: string;
  readonly resolve: ReturnType<typeof createLocalJWKSet>;
}

export interface FoundKey {
  readonly key: VerificationKey;
  readonly publicKey: CryptoKey;
}

/** The keys cannot be had, so it is not known which are good. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';

  constructor(
    readonly reason: FetchFailure | 'DISCOVERY',
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}

export interface RemoteKeysOptions {
  /** Where the key set is; asked before each fetch. @throws {KeysUnavailableError} */
  readonly locate: () => Promise<string>;
  /** Between two fetches that unknown keys may cause, whoever sends them. Default 5,000. */
  readonly cooldownMs?: number;
}

const KEYS_TIMEOUT_MS = 5_000;
const KEYS_COOLDOWN_MS = 5_000;
const KEY_SET_BYTES = 1024 * 1024;
const KEYS_AT_MOST = 100;
/** From this age on the key set is fetched again, while what is known goes on being used. */
const KEYS_REFRESH_AFTER_MS = 300_000;
/** No older key set is believed: a key that was withdrawn is good for so long at the most. */
export const KEYS_MAX_AGE_MS = 600_000;
/** RFC 7517 section 4, RFC 7518 section 6: which key it is, and for what. Certificates may change with the key the same. */
const IDENTIFYING_MEMBERS = ['kid', 'kty', 'alg', 'use', 'key_ops', 'ext', 'crv', 'x', 'y', 'n', 'e', 'pub'];

/**
 * A key set that is fetched (RFC 7517). Each of its keys is an object that stays the same for as long as the issuer publishes
 * it unchanged: what was verified with a key is good while `holds` says that it is still there.
 */
export class RemoteKeys {
  #keys: readonly VerificationKey[] = [];
  #fetchedAt: Moment | undefined;
  #attemptedAt: Moment | undefined;
  #failure: KeysUnavailableError | undefined;
  #underWay: Promise<void> | undefined;
  readonly #options: RemoteKeysOptions;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  /** Whether anybody ever needed them. */
  get isKnown(): boolean {
    return this.#fetchedAt !== undefined || this.#underWay !== undefined;
  }

  /** Whether this very key is one of those that are known. After `freshen`, of those that are believed. */
  holds(key: VerificationKey): boolean {
    return this.#keys.includes(key);
  }

  /**
   * @returns undefined when the keys are young enough, so that nobody has to wait
   * @throws {KeysUnavailableError} when those that are known are too old, and newer ones cannot be had
   */
  freshen(): Promise<void> | undefined {
    const ageMs = sinceMs(this.#fetchedAt);
    if (ageMs < KEYS_REFRESH_AFTER_MS) return undefined;
    if (ageMs >= KEYS_MAX_AGE_MS) return this.#fetch();
    // Nobody waits for it; when it fails, what is known stays until it is too old.
    if (sinceMs(this.#attemptedAt) >= this.#cooldownMs) this.#fetch().catch(() => undefined);
    return undefined;
  }

  /**
   * The key that a token names. One that is not known has the key set fetched again, after a pause.
   *
   * @throws {KeysUnavailableError}
   * @throws {errors.JOSEError} when there is no such key, or several
   */
  async find(header: JWTHeaderParameters, token: FlattenedJWSInput): Promise<FoundKey> {
    await this.freshen();
    let found = await this.#match(header, token);
    if (found !== undefined) return found;
    if (sinceMs(this.#attemptedAt) < this.#cooldownMs) throw this.#failure ?? new errors.JWKSNoMatchingKey();
    await this.#fetch();
    found = await this.#match(header, token);
    if (found === undefined) throw new errors.JWKSNoMatchingKey();
    return found;
  }

  /** Fetches them at once, and after a fetch under way, which may have been answered before a change. @throws {KeysUnavailableError} */
  async refresh(): Promise<void> {
    await this.#underWay?.catch(() => undefined);
    await this.#fetch();
  }

  get #cooldownMs(): number {
    return this.#options.cooldownMs ?? KEYS_COOLDOWN_MS;
  }

  async #match(header: JWTHeaderParameters, token: FlattenedJWSInput): Promise<FoundKey | undefined> {
    let found: FoundKey | undefined;
    for (const key of this.#keys) {
      if (header.kid !== undefined && header.kid !== key.keyId) continue;
      const publicKey = await resolve(key, header, token);
      if (publicKey === undefined) continue;
      if (found !== undefined) throw new errors.JWKSMultipleMatchingKeys();
      found = { key, publicKey };
    }
    return found;
  }

  /** Who asks at the same time shares one fetch. */
  #fetch(): Promise<void> {
    this.#underWay ??= this.#fetchOnce().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #fetchOnce(): Promise<void> {
    // Counted from the question: what was withdrawn while the answer was on its way is still in it.
    const askedAt = now();
    this.#attemptedAt = askedAt;
    try {
      const address = await this.#options.locate();
      const bounds = { timeoutMs: KEYS_TIMEOUT_MS, maxBytes: KEY_SET_BYTES };
      this.#keys = readKeySet(await fetchJson(address, bounds), this.#keys);
      this.#fetchedAt = askedAt;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = unavailable(error);
      throw this.#failure;
    }
  }
}

/** @throws {FetchError} for what is no key set. An empty one is one: its issuer has withdrawn every key. */
function readKeySet(
  { keys }: Readonly<Record<string, unknown>>,
  known: readonly VerificationKey[],
): readonly VerificationKey[] {
  if (!Array.isArray(keys) || keys.length > KEYS_AT_MOST) throw new FetchError('ANSWER');
  return (keys as unknown[]).map((jwk) => {
    if (!isRecord(jwk)) throw new FetchError('ANSWER');
    const identity = identityOf(jwk);
    const unchanged = known.find((key) => key.identity === identity);
    if (unchanged !== undefined) return unchanged;
    const keyId = typeof jwk.kid === 'string' ? jwk.kid : undefined;
    return { keyId, identity, resolve: createLocalJWKSet({ keys: [jwk] }) };
  });
}

function identityOf(jwk: Readonly<Record<string, unknown>>): string {
  const members = IDENTIFYING_MEMBERS.map((name) => (Object.hasOwn(jwk, name) ? jwk[name] : null));
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

/** Undefined when the key is not for such tokens. */
async function resolve(
  key: VerificationKey,
  header: JWTHeaderParameters,
  token: FlattenedJWSInput,
): Promise<CryptoKey | undefined> {
  try {
    return await key.resolve(header, token);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    throw error;
  }
}

function unavailable(error: unknown): KeysUnavailableError {
  if (error instanceof KeysUnavailableError) return error;
  return new KeysUnavailableError(error instanceof FetchError ? error.reason : 'NETWORK', { cause: error });
}

/** On both clocks: the one of the wall can be set back, the other stands still while the machine sleeps. */
interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

function now(): Moment {
  return { wallMs: Date.now(), monotonicMs: performance.now() };
}

/** By the clock that says more; Infinity for what never was. */
function sinceMs(moment: Moment | undefined): number {
  if (moment === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(Date.now() - moment.wallMs, performance.now() - moment.monotonicMs);
}
