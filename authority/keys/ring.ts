import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import type { JWK } from 'jose';
import { sql } from 'kysely';

import type { Log } from '@behalf/store';
import type { ChangeFeed } from '../changes/feed.js';
import { transact } from '../transact.js';
import { AuthorityError } from '../errors.js';
import type { AuthorityDatabase } from '../schema.js';
import { type KeyRow, rotateSigningKeys } from './rotate.js';
import type { SealedSecrets } from './sealed.js';
import { importSigningKey, type SigningKey } from './signing-key.js';
import { sealedName, tendKeys } from './tend.js';
import { isComplete, type KeySchedule, type KeyTimes, stateOf } from './times.js';

/** The least time between two reads of the keys, however many changes arrive. */
const MIN_READ_INTERVAL_MS = 200;

interface HeldKey extends KeyTimes {
  readonly signing: SigningKey;
  readonly privateJwk: JWK;
}

/** The keys at one time: the same object for as long as nothing changes. */
export interface KeysNow {
  readonly signing: SigningKey;
  /** The private keys of all published keys, the signing one first. */
  readonly jwks: { readonly keys: readonly JWK[] };
}

/** @see SigningKeyRing */
export interface SigningKeyRingOptions {
  readonly db: AuthorityDatabase;
  readonly secrets: SealedSecrets;
  readonly schedule: KeySchedule;
  readonly log: Log;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * The signing keys of the store. The store records when each key starts to sign, by the database's clock, and each instance
 * computes the current key from that, so all switch at the same time without being told.
 */
export class SigningKeyRing {
  readonly #options: SigningKeyRingOptions;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #held: readonly HeldKey[] = [];
  /** The database's time minus the monotonic clock, which nobody sets. */
  #offsetMs = 0;
  #now: KeysNow | undefined;
  #reading: Promise<void> | undefined;
  #asked: Promise<void> | undefined;
  #watching: Promise<void> | undefined;

  private constructor(options: SigningKeyRingOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Reads the keys, or creates them on the first start.
   *
   * @throws AuthorityError `KEYS_UNREADABLE`
   */
  static async open(options: SigningKeyRingOptions): Promise<SigningKeyRing> {
    const ring = new SigningKeyRing(options);
    await ring.#read();
    return ring;
  }

  /** @throws AuthorityError `KEY_MISSING`, which occurs only briefly, after all keys were revoked at once */
  now(): KeysNow {
    const atMs = this.#clock.monotonic() + this.#offsetMs;
    const published: HeldKey[] = [];
    let signing: HeldKey | undefined;
    for (const key of this.#held) {
      const state = stateOf(key, atMs);
      if (state === 'current') signing = key;
      else if (state === 'next' || state === 'retired') published.push(key);
    }
    if (signing === undefined) throw new AuthorityError('KEY_MISSING', 'No signing key is in force');
    const keys = [signing, ...published].map(({ privateJwk }) => privateJwk);
    const before = this.#now;
    if (before !== undefined && isSame(before.jwks.keys, keys)) return before;
    this.#now = { signing: signing.signing, jwks: { keys } };
    return this.#now;
  }

  /** Reads the keys again. Concurrent callers share one read, which begins after their calls. */
  async refresh(): Promise<void> {
    if (this.#reading === undefined) {
      this.#reading = this.#read().finally(() => (this.#reading = undefined));
      return this.#reading;
    }
    const underWay = this.#reading;
    this.#asked ??= underWay
      .catch(() => undefined)
      .then(() => {
        this.#asked = undefined;
        return this.refresh();
      });
    return this.#asked;
  }

  /** Follows the store until closed, and rotates keys on schedule. */
  watch(feed: ChangeFeed): void {
    this.#watching ??= this.#watch(feed);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watching;
  }

  async #watch(feed: ChangeFeed): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await feed.wait(signal, this.#untilDueMs());
      try {
        await this.refresh();
        await this.#rotateWhenDue();
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown reason';
        this.#options.log.log('warn', 'KEYS_UNREADABLE', { reason });
      }
      await this.#clock.sleep(MIN_READ_INTERVAL_MS, signal);
    }
  }

  /** Milliseconds until the signing key is due to rotate. */
  #untilDueMs(): number {
    const atMs = this.#clock.monotonic() + this.#offsetMs;
    const current = this.#held.find((key) => stateOf(key, atMs) === 'current');
    // A scheduled switch is waited for.
    if (current === undefined || current.signs_until !== null) return Number.POSITIVE_INFINITY;
    const dueMs = (current.signs_from?.getTime() ?? atMs) + this.#options.schedule.rotateEverySeconds * 1000;
    return Math.max(0, dueMs - atMs);
  }

  async #rotateWhenDue(): Promise<void> {
    const { db, schedule } = this.#options;
    if (this.#untilDueMs() > 0) return;
    const { kid } = this.now().signing;
    const { publishAheadSeconds } = schedule;
    const scheduled = { initiator: 'policy', reason: 'by schedule', ifCurrent: kid } as const;
    const rotation = await transact(db, (trx) =>
      rotateSigningKeys(trx, { ...scheduled, publishAheadSeconds }),
    );
    if (rotation?.change !== undefined)
      this.#options.log.log('info', 'SIGNING_KEY_CHANGED', { kid: rotation.kid });
  }

  async #read(): Promise<void> {
    const { db, secrets } = this.#options;
    const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
    this.#offsetMs = (rows[0]?.now.getTime() ?? this.#clock.now()) - this.#clock.monotonic();
    const keys = await db
      .selectFrom('authority.signing_key')
      .selectAll()
      .where('revoked_at', 'is', null)
      .orderBy('published_at')
      .execute();
    const atMs = this.#clock.monotonic() + this.#offsetMs;
    await this.#hold(isComplete(keys, atMs) ? keys : await tendKeys(db, secrets));
  }

  async #hold(keys: readonly KeyRow[]): Promise<void> {
    const known = new Map(this.#held.map((key) => [key.signing.kid, key]));
    const held: HeldKey[] = [];
    for (const { kid, nonce, ciphertext, signs_from, signs_until, gone_at, revoked_at } of keys) {
      if (nonce === null || ciphertext === null) continue;
      const before = known.get(kid);
      const privateJwk =
        before?.privateJwk ??
        (JSON.parse(this.#options.secrets.open(sealedName(kid), { nonce, ciphertext })) as JWK);
      const signing = before?.signing ?? (await importSigningKey(kid, privateJwk));
      held.push({ signing, privateJwk, signs_from, signs_until, gone_at, revoked_at });
    }
    this.#held = held;
  }
}

function isSame(one: readonly JWK[], other: readonly JWK[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}
