import { createHash } from 'node:crypto';
import { isRecord } from '@behalf/directives/internal';
import { FetchError, fetchJson } from '@behalf/http/internal';
import type { FetchFailure } from '@behalf/http/internal';
import { createLocalJWKSet, errors } from 'jose';
import type { CryptoKey, FlattenedJWSInput, JWTHeaderParameters } from 'jose';

/** One public key of an issuer, for as long as the issuer publishes it unchanged. */
export interface VerificationKey {
  /** `kid` */
  readonly keyId: string | undefined;
  /** Everything that identifies the key and its permitted use. */
  readonly identity: string;
  readonly resolve: ReturnType<typeof createLocalJWKSet>;
}

export interface FoundKey {
  readonly key: VerificationKey;
  readonly publicKey: CryptoKey;
}

/** The keys are unavailable, so it is unknown which are valid. */
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
  /** The key set's address, resolved before each fetch. @throws {KeysUnavailableError} */
  readonly locate: () => Promise<string>;
  /** Pause between two fetches for unknown keys, whoever sends them. Milliseconds, default 5,000. */
  readonly cooldownMs?: number;
}

const KEYS_TIMEOUT_MS = 5_000;
const KEYS_COOLDOWN_MS = 5_000;
const KEY_SET_BYTES = 1024 * 1024;
const KEYS_AT_MOST = 100;
/** From this age on the key set is refetched, while the known keys stay in use. */
const KEYS_REFRESH_AFTER_MS = 300_000;
/** The maximum age of a key set, and so how long a withdrawn key stays valid at most. */
const KEYS_MAX_AGE_MS = 600_000;
/**
 * RFC 7517 section 4, RFC 7518 section 6: the members that identify a key and its use. Certificates may change while the key
 * stays.
 */
const IDENTIFYING_MEMBERS = ['kid', 'kty', 'alg', 'use', 'key_ops', 'ext', 'crv', 'x', 'y', 'n', 'e', 'pub'];

/**
 * A fetched key set (RFC 7517). Each key is one object for as long as the issuer publishes it unchanged: a verification stays
 * valid while `holds` finds its key.
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

  /** Whether the keys were ever needed. */
  get isKnown(): boolean {
    return this.#fetchedAt !== undefined || this.#underWay !== undefined;
  }

  /** Whether this very key is known; after `freshen`, whether it is valid. */
  holds(key: VerificationKey): boolean {
    return this.#keys.includes(key);
  }

  /**
   * @returns undefined if the keys are recent enough, so that nobody has to wait
   * @throws {KeysUnavailableError} if the known keys are too old, and newer ones unavailable
   */
  freshen(): Promise<void> | undefined {
    const ageMs = sinceMs(this.#fetchedAt);
    if (ageMs < KEYS_REFRESH_AFTER_MS) return undefined;
    if (ageMs >= KEYS_MAX_AGE_MS) return this.#fetch();
    // Runs in the background; if it fails, the known keys stay until they are too old.
    if (sinceMs(this.#attemptedAt) >= this.#cooldownMs) this.#fetch().catch(() => undefined);
    return undefined;
  }

  /**
   * The key that a token names. For an unknown one the key set is refetched, after a pause.
   *
   * @throws {KeysUnavailableError}
   * @throws {errors.JOSEError} if there is no such key, or several
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

  /**
   * Fetches the keys at once, even if a fetch is running, which may have been answered before a change.
   * @throws {KeysUnavailableError}
   */
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

  /** Concurrent callers share one fetch. */
  #fetch(): Promise<void> {
    this.#underWay ??= this.#fetchOnce().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #fetchOnce(): Promise<void> {
    // Counted from the request: a key withdrawn while the response was in transit is still in it.
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

/** @throws {FetchError} for an invalid key set. An empty one is valid: its issuer has withdrawn every key. */
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

/** Undefined if the key is not for such tokens. */
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

/** On both clocks: the wall clock can be set back, and the other stops while the machine sleeps. */
interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

function now(): Moment {
  return { wallMs: Date.now(), monotonicMs: performance.now() };
}

/** By the clock that shows more; Infinity if it never was. */
function sinceMs(moment: Moment | undefined): number {
  if (moment === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(Date.now() - moment.wallMs, performance.now() - moment.monotonicMs);
}
