import { createHash } from 'node:crypto';
import { isRecord, systemClock } from '@behalf/directives/internal';
import { FetchError, fetchJson } from '@behalf/http/internal';
import type { FetchFailure } from '@behalf/http/internal';
import { createLocalJWKSet, errors } from 'jose';
import type { CryptoKey, JWTHeaderParameters, JWTVerifyOptions } from 'jose';
import type { Clock } from '@behalf/directives';
import { verifyByAny } from './verify-by-any.js';
import type { FoundKey, VerificationKey, VerifiedByKey } from './verify-by-any.js';

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
  /** Default: the machine's. */
  readonly clock?: Clock;
}

const KEYS_TIMEOUT_MS = 5_000;
const KEYS_COOLDOWN_MS = 5_000;
const KEY_SET_BYTES = 1024 * 1024;
const KEYS_AT_MOST = 100;
/** Each costs a verification, and anybody can send a token that no key has signed. */
const MAX_CANDIDATES = 16;
/** From this age on the key set is refetched, while the known keys stay in use. */
const KEYS_REFRESH_AFTER_MS = 300_000;
/** The maximum age of a key set, and so how long a withdrawn key stays valid at most. */
const KEYS_MAX_AGE_MS = 600_000;
/**
 * RFC 7517 section 4, RFC 7518 section 6: the members that identify a key and its use. Certificates may change while the key
 * stays.
 */
const IDENTIFYING_MEMBERS = ['kid', 'kty', 'alg', 'use', 'key_ops', 'ext', 'crv', 'x', 'y', 'n', 'e', 'pub'];
/** RFC 7638: those that make the key itself. */
const MATERIAL_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'pub'];
/** RFC 7518 section 3.3. */
const MIN_RSA_BITS = 2_048;

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
  readonly #clock: Clock;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
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
    const ageMs = this.#sinceMs(this.#fetchedAt);
    if (ageMs < KEYS_REFRESH_AFTER_MS) return undefined;
    if (ageMs >= KEYS_MAX_AGE_MS) return this.#fetch();
    // Runs in the background; if it fails, the known keys stay until they are too old.
    if (this.#sinceMs(this.#attemptedAt) >= this.#cooldownMs) this.#fetch().catch(() => undefined);
    return undefined;
  }

  /**
   * Verifies a token by the key that it names. If it names none, or several have its name, all that can have signed it are tried,
   * 16 at most (RFC 7515 appendix D).
   *
   * @throws {KeysUnavailableError}
   * @throws {errors.JOSEError} if there is no such key, or the signature or a claim is not valid
   */
  async verify(token: string, options: JWTVerifyOptions): Promise<VerifiedByKey> {
    const known = this.#keys;
    const first = await verifyByAny(token, options, (header) => this.candidates(header));
    if ('payload' in first) return first;
    // Its key may be one that is not known yet, also under a name that another key has: issuers use names again.
    if (!(await this.#hasNewer(known))) throw first.error;
    const tried = new Set([...first.tried].map(({ material }) => material));
    const second = await verifyByAny(token, options, async (header) => {
      const untried = (await this.#match(header)).filter(({ key }) => !tried.has(key.material));
      if (untried.length === 0) throw first.error;
      return untried;
    });
    if ('payload' in second) return second;
    throw second.error;
  }

  /**
   * The keys that can have signed a token with this header. If there is none, the key set is refetched, after a pause.
   *
   * @throws {KeysUnavailableError}
   * @throws {errors.JOSEError} if there is none
   */
  async candidates(header: JWTHeaderParameters): Promise<readonly FoundKey[]> {
    await this.freshen();
    const before = this.#keys;
    const known = await this.#match(header);
    if (known.length > 0) return known;
    // Newer ones may have come while it was looked for.
    if (this.#keys === before) {
      if (this.#isPausing) throw this.#failure ?? new errors.JWKSNoMatchingKey();
      await this.#fetch();
    }
    const found = await this.#match(header);
    if (found.length === 0) throw new errors.JWKSNoMatchingKey();
    return found;
  }

  /**
   * Why no token signed by one of these algorithms can be verified; undefined if one can. Fetches the keys if they are too old,
   * after a pause, since anybody can cause it.
   */
  async problem(algorithms: readonly string[]): Promise<KeysUnavailableError['reason'] | undefined> {
    const isKnown = this.#sinceMs(this.#fetchedAt) < KEYS_MAX_AGE_MS;
    if (!isKnown && this.#isPausing && this.#failure !== undefined) return this.#failure.reason;
    try {
      await this.freshen();
    } catch (error) {
      return unavailable(error).reason;
    }
    for (const alg of algorithms) {
      const found = await this.#match({ alg }).catch(() => []);
      if (found.length > 0) return undefined;
    }
    // Its issuer has withdrawn every key, or publishes only others: for encryption, for instance.
    return 'ANSWER';
  }

  /**
   * Fetches the keys at once, even if a fetch is running, which may have been answered before a change.
   * @throws {KeysUnavailableError}
   */
  async refresh(): Promise<void> {
    await this.#underWay?.catch(() => undefined);
    await this.#fetch();
  }

  /** By the clock that shows more; Infinity if it never was. */
  #sinceMs(moment: Moment | undefined): number {
    if (moment === undefined) return Number.POSITIVE_INFINITY;
    const { wallMs, monotonicMs } = moment;
    return Math.max(this.#clock.now() - wallMs, this.#clock.monotonic() - monotonicMs);
  }

  /** Whether no fetch may begin for whatever anybody can cause. One that runs may bring the key, so it is waited for. */
  get #isPausing(): boolean {
    return this.#underWay === undefined && this.#sinceMs(this.#attemptedAt) < this.#cooldownMs;
  }

  get #cooldownMs(): number {
    return this.#options.cooldownMs ?? KEYS_COOLDOWN_MS;
  }

  /** @throws {errors.JOSEError} for a key that cannot be used, if there is no other */
  async #match(header: JWTHeaderParameters): Promise<readonly FoundKey[]> {
    const found = new Map<string, FoundKey>();
    let unusable: Error | undefined;
    for (const key of this.#keys) {
      // One key can be published several times.
      if ((header.kid !== undefined && header.kid !== key.keyId) || found.has(key.material)) continue;
      try {
        found.set(key.material, { key, publicKey: await resolve(key, header) });
      } catch (error) {
        // RFC 7517 section 5: keys that are not understood are ignored.
        if (error instanceof Error && !(error instanceof errors.JWKSNoMatchingKey)) unusable = error;
      }
      if (found.size === MAX_CANDIDATES) break;
    }
    if (found.size === 0 && unusable !== undefined) throw unusable;
    return [...found.values()];
  }

  /** Whether there is a newer key set than the known one now. It is fetched after a pause, since anybody can cause it. */
  async #hasNewer(known: readonly VerificationKey[]): Promise<boolean> {
    // For another token, while this one was verified.
    if (this.#keys !== known) return true;
    if (this.#isPausing) return false;
    try {
      await this.#fetch();
      return true;
    } catch {
      return false;
    }
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
    const askedAt: Moment = { wallMs: this.#clock.now(), monotonicMs: this.#clock.monotonic() };
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

/** @throws {errors.JOSEError} for a key that has not signed the token, or cannot be used */
async function resolve(key: VerificationKey, header: JWTHeaderParameters): Promise<CryptoKey> {
  const publicKey = await key.resolve(header);
  const { modulusLength = MIN_RSA_BITS }: { name: string; modulusLength?: number } = publicKey.algorithm;
  // jose refuses it only when it verifies, and then no other key would be tried.
  if (modulusLength < MIN_RSA_BITS) throw new errors.JWKSInvalid();
  return publicKey;
}

/** @throws {FetchError} for an invalid key set. An empty one is valid: its issuer has withdrawn every key. */
function readKeySet(
  { keys }: Readonly<Record<string, unknown>>,
  known: readonly VerificationKey[],
): readonly VerificationKey[] {
  if (!Array.isArray(keys) || keys.length > KEYS_AT_MOST) throw new FetchError('ANSWER');
  return (keys as unknown[]).map((jwk) => {
    if (!isRecord(jwk)) throw new FetchError('ANSWER');
    const identity = digestOf(jwk, IDENTIFYING_MEMBERS);
    const unchanged = known.find((key) => key.identity === identity);
    if (unchanged !== undefined) return unchanged;
    const keyId = typeof jwk.kid === 'string' ? jwk.kid : undefined;
    const material = digestOf(jwk, MATERIAL_MEMBERS);
    return { keyId, identity, material, resolve: createLocalJWKSet({ keys: [jwk] }) };
  });
}

function digestOf(jwk: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  const members = names.map((name) => (Object.hasOwn(jwk, name) ? jwk[name] : null));
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
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
