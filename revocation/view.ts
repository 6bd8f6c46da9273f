import { hash, randomBytes } from 'node:crypto';
import { steadyTime, systemClock } from '@behalf/directives/internal';
import { DIGEST_WORDS, DigestTable } from './digest-table.js';
import type { Digest } from './digest-table.js';
import { holdersOf } from './holders.js';
import { Suspensions } from './suspensions.js';
import type { RevocableToken } from './token.js';

/** An event ends every token that matches all given members. */
export interface RevokedSubject {
  /** The announcing issuer: only its tokens end. */
  readonly issuer: string;
  readonly subject?: string;
  readonly clientId?: string;
  /** The consent. It ends forever, as do a session and a token; the others end what was issued up to the event. */
  readonly consentId?: string;
  /** `sid` */
  readonly sessionId?: string;
  /** `jti` */
  readonly tokenId?: string;
  /** `kid` of the key that signed, and nothing else. It ends forever, whatever the token's times. */
  readonly keyId?: string;
}

export interface RevocationViewOptions {
  /** The announcing issuers. Knowledge about one says nothing about another. */
  readonly issuers: readonly string[];
  /** Beyond this age, the view permits nothing. */
  readonly maxStalenessMs: number;
  /**
   * The maximum lifetime of a token; the authenticator refuses longer ones. An event this old matches no unexpired token and is
   * forgotten.
   */
  readonly maxTokenLifetimeSeconds: number;
  /** Default 1,000,000. What does not fit is refused, so that the view becomes stale rather than incomplete. */
  readonly maxEntries?: number;
  /**
   * Called when an announcement is in the view, with the time of its end in seconds since the epoch. A subject with only the
   * issuer means everything that the issuer issued up to then.
   */
  readonly whenRevoked?: (what: RevokedSubject, atSeconds: number) => void;
  /** Milliseconds, never set back. */
  readonly now?: () => number;
}

/**
 * Tolerance between the clocks of issuer and gateway, so that nothing is forgotten too early. An event from further in the
 * future ends what is issued up to here: later tokens would outlive its memory.
 */
const CLOCK_TOLERANCE_SECONDS = 60;
/** The largest time in the table: nothing is issued later. */
const FOR_EVER = 0xffff_ffff;
/** Leaked keys of one issuer. More are a mistake, or an attack on memory. */
const REVOKED_KEYS_AT_MOST = 1_000;

/** Unforgotten revocations, and suspensions, in memory. It knows its age, and starts stale. */
export class RevocationView {
  readonly suspensions = new Suspensions();
  readonly #entries: DigestTable;
  /** Random, so that nobody can choose identifiers whose digests collide or cluster. */
  readonly #seed = randomBytes(16).toString('base64url');
  /** The digests to look up for a token; a verified token lives as long as its cache entry. */
  readonly #digests = new WeakMap<RevocableToken, readonly Digest[]>();
  /**
   * By issuer. Never forgotten while this process lives: a thief of the key can date tokens at will, and a key set that could
   * not be refetched may still contain it.
   */
  readonly #revokedKeys = new Map<string, Set<string>>();
  /** By issuer: everything issued up to then is dead, seconds since the epoch. */
  readonly #endedBefore = new Map<string, number>();
  /** By issuer: when the view was last known to be complete. */
  readonly #freshAtMs: Map<string, number>;
  /** Milliseconds on a clock that is never set back. */
  readonly now: () => number;

  readonly #options: RevocationViewOptions;

  constructor(options: RevocationViewOptions) {
    this.#options = options;
    this.now = options.now ?? steadyTime(systemClock);
    this.#entries = new DigestTable(options.maxEntries ?? 1_000_000);
    this.#freshAtMs = new Map(options.issuers.map((issuer) => [issuer, Number.NEGATIVE_INFINITY]));
  }

  get maxStalenessMs(): number {
    return this.#options.maxStalenessMs;
  }

  get maxTokenLifetimeSeconds(): number {
    return this.#options.maxTokenLifetimeSeconds;
  }

  /** Stored revocations, some of which may have expired. */
  get size(): number {
    return this.#entries.size;
  }

  /** Their memory in bytes. */
  get bytes(): number {
    return this.#entries.bytes;
  }

  /**
   * Whether recent revocations are known: this issuer's or, without one, every issuer's. An issuer that announces nothing is
   * always fresh.
   */
  isFresh(issuer?: string): boolean {
    const leastMs = this.now() - this.#options.maxStalenessMs;
    if (issuer !== undefined) return (this.#freshAtMs.get(issuer) ?? Infinity) >= leastMs;
    return [...this.#freshAtMs.values()].every((atMs) => atMs >= leastMs);
  }

  /** Since the oldest answer that the view rests on; Infinity before the first. */
  get ageSeconds(): number {
    return (this.now() - Math.min(...this.#freshAtMs.values())) / 1_000;
  }

  /**
   * Everything that the issuer announced up to now is in the view.
   *
   * @param atMs the time of the request; its answer excludes later revocations
   */
  markComplete(issuer: string, atMs: number): void {
    this.#entries.tidy(Math.floor(this.now() / 1000));
    this.suspensions.endOfBeginning(issuer);
    this.#freshAtMs.set(issuer, Math.max(this.#freshAtMs.get(issuer) ?? atMs, atMs));
  }

  /** The issuer's recent announcements are unknown: its tokens are refused until `markComplete`. */
  markUnknown(issuer: string): void {
    if (this.#freshAtMs.has(issuer)) this.#freshAtMs.set(issuer, Number.NEGATIVE_INFINITY);
  }

  /** Ends everything that the issuer issued up to then, if it is unknown what was ended. */
  revokeIssued(issuer: string, atSeconds: number): void {
    this.#endedBefore.set(issuer, Math.max(this.#endedBefore.get(issuer) ?? 0, Math.ceil(atSeconds)));
    this.#options.whenRevoked?.({ issuer }, atSeconds);
  }

  /**
   * @param atSeconds when it ended, seconds since the epoch
   * @returns false if there is no room: the view is then incomplete, and must not count as complete
   */
  revoke(what: RevokedSubject, atSeconds: number): boolean {
    const isIn = this.#take(what, atSeconds);
    if (isIn) this.#options.whenRevoked?.(what, atSeconds);
    return isIn;
  }

  #take(what: RevokedSubject, atSeconds: number): boolean {
    if (what.keyId !== undefined) return this.#revokeKey(what.issuer, what.keyId);
    const { key, forEver } = keyOf(what);
    const nowSeconds = this.now() / 1000;
    const endedAtSeconds = Math.min(Math.max(atSeconds, 0), nowSeconds + CLOCK_TOLERANCE_SECONDS);
    // Counted from the time of receipt, so that an event with an old date is kept long enough as well.
    const forgetAtSeconds = nowSeconds + this.#options.maxTokenLifetimeSeconds + CLOCK_TOLERANCE_SECONDS;
    return this.#entries.raise(
      this.#digestOf(key),
      forEver ? FOR_EVER : Math.ceil(endedAtSeconds),
      Math.ceil(forgetAtSeconds),
      Math.floor(nowSeconds),
    );
  }

  isRevoked(token: RevocableToken): boolean {
    if (this.#isKeyRevoked(token)) return true;
    const endedBefore = this.#endedBefore.get(token.issuer);
    if (endedBefore !== undefined && token.issuedAt <= endedBefore) return true;
    let digests = this.#digests.get(token);
    if (digests === undefined) {
      digests = keysFor(token).map((key) => this.#digestOf(key));
      this.#digests.set(token, digests);
    }
    return digests.some((digest) => {
      const notBefore = this.#entries.get(digest);
      return notBefore !== undefined && token.issuedAt <= notBefore;
    });
  }

  #revokeKey(issuer: string, keyId: string): boolean {
    const keys = this.#revokedKeys.get(issuer) ?? new Set<string>();
    if (!keys.has(keyId) && keys.size >= REVOKED_KEYS_AT_MOST) return false;
    this.#revokedKeys.set(issuer, keys.add(keyId));
    return true;
  }

  #isKeyRevoked({ issuer, keyId }: RevocableToken): boolean {
    const keys = this.#revokedKeys.get(issuer);
    if (keys === undefined) return false;
    // A thief of a leaked key can leave its name out.
    return keyId === undefined || keys.has(keyId);
  }

  #digestOf(key: Key): Digest {
    const bytes = hash('sha256', this.#seed + JSON.stringify(key), 'buffer');
    const begin = bytes.byteOffset;
    return new Uint32Array(bytes.buffer.slice(begin, begin + DIGEST_WORDS * 4));
  }
}

/** Fixed length per kind, so distinct keys never serialize alike. */
type Key = readonly (string | null)[];

/**
 * The key of an event. The narrowest member alone is enough: a token, a consent and a session have their own identifiers,
 * whatever else the event names. One client's part of a session can end separately.
 */
function keyOf({ issuer, subject, clientId, consentId, sessionId, tokenId }: RevokedSubject): {
  readonly key: Key;
  readonly forEver: boolean;
} {
  if (tokenId !== undefined) return { key: ['token', issuer, tokenId], forEver: true };
  if (consentId !== undefined) return { key: ['consent', issuer, consentId], forEver: true };
  if (sessionId !== undefined) {
    return { key: ['session', issuer, sessionId, clientId ?? null], forEver: true };
  }
  // An event without a subject would end nothing, and must not look applied.
  if (subject === undefined && clientId === undefined) throw new Error('a revocation without a subject');
  return { key: ['issued', issuer, subject ?? null, clientId ?? null], forEver: false };
}

/** The keys of all events that a token can match. */
function keysFor(token: RevocableToken): readonly Key[] {
  const { issuer, tokenId, exchangedFrom = [], sessionId, delegation, issuerDelegation } = token;
  // Events use the issuer's names of people, clients and consents.
  const issued = issuerDelegation ?? delegation;
  const { subject, consent } = issued;
  const holders = holdersOf(issued);
  return [
    ...(tokenId === undefined ? [] : [['token', issuer, tokenId]]),
    ...exchangedFrom.map((earlier) => ['token', issuer, earlier]),
    ...(consent === undefined ? [] : [['consent', issuer, consent.id]]),
    ...(sessionId === undefined
      ? []
      : [
          ['session', issuer, sessionId, null],
          ...holders.map((holder) => ['session', issuer, sessionId, holder]),
        ]),
    ['issued', issuer, subject, null],
    ...holders.map((holder) => ['issued', issuer, null, holder]),
    ...holders.map((holder) => ['issued', issuer, subject, holder]),
  ];
}
