import { hash, randomBytes } from 'node:crypto';
import type { AuthenticatedToken } from '../authenticate/token.js';
import { DIGEST_WORDS, DigestTable } from './digest-table.js';
import type { Digest } from './digest-table.js';
import { holdersOf } from './holders.js';
import { Suspensions } from './suspensions.js';

/** What an event ends: every token that matches all the members that are given. */
export interface RevokedSubject {
  /** Whose announcement it is: it ends only that issuer's tokens. */
  readonly issuer: string;
  readonly subject?: string;
  readonly clientId?: string;
  /** The consent. It ends for ever, as a session and a token do; the others end what was issued up to the event. */
  readonly consentId?: string;
  /** `sid` */
  readonly sessionId?: string;
  /** `jti` */
  readonly tokenId?: string;
  /** `kid` of the key that signed; alone. It ends for ever, whatever the token says of its time. */
  readonly keyId?: string;
}

export interface RevocationViewOptions {
  /** Who announces revocations. What is known of one says nothing of another. */
  readonly issuers: readonly string[];
  /** Older than this, the view permits nothing. */
  readonly maxStalenessMs: number;
  /**
   * No token lives longer; the authenticator refuses one that claims to. An event this old matches no unexpired token and
   * is forgotten.
   */
  readonly maxTokenLifetimeSeconds: number;
  /** Default 1,000,000. What does not fit is refused, so that the view grows stale rather than incomplete. */
  readonly maxEntries?: number;
  /**
   * Called when what was announced is in the view, with when it ended, seconds since the epoch. A subject without any member but
   * the issuer is everything that the issuer issued up to then.
   */
  readonly whenRevoked?: (what: RevokedSubject, atSeconds: number) => void;
  /** Milliseconds, never set back. */
  readonly now?: () => number;
}

/**
 * Clocks of issuer and gateway may differ by so much before something is forgotten too early. An event from further in the
 * future ends what is issued up to here: later tokens would outlive the memory of it.
 */
const CLOCK_TOLERANCE_SECONDS = 60;
/** As large as a time in the table can be: nothing is issued later. */
const FOR_EVER = 0xffff_ffff;
/** Leaked keys of one issuer. More than that are a mistake, or an attack on memory. */
const REVOKED_KEYS_AT_MOST = 1_000;

/**
 * What is revoked and not yet forgotten, and what is suspended, in memory. It knows how old its knowledge is, and starts as
 * too old.
 */
export class RevocationView {
  readonly suspensions = new Suspensions();
  readonly #entries: DigestTable;
  /** Whoever chooses identifiers cannot choose digests that lie together, or are the same. */
  readonly #seed = randomBytes(16).toString('base64url');
  /** What a token is looked up under; a verified token is kept as long as it is alive. */
  readonly #digests = new WeakMap<AuthenticatedToken, readonly Digest[]>();
  /**
   * By issuer. Never forgotten while this process lives: whoever has the key can date what it signs as they like, and a key
   * set that could not be fetched anew may still hold it.
   */
  readonly #revokedKeys = new Map<string, Set<string>>();
  /** By issuer: what was issued up to then is dead, seconds since the epoch. */
  readonly #endedBefore = new Map<string, number>();
  /** By issuer: when what it announced was last known to be in the view. */
  readonly #freshAtMs: Map<string, number>;
  /** Milliseconds on a clock that is never set back. */
  readonly now: () => number;

  readonly #options: RevocationViewOptions;

  constructor(options: RevocationViewOptions) {
    this.#options = options;
    this.now = options.now ?? (() => performance.timeOrigin + performance.now());
    this.#entries = new DigestTable(options.maxEntries ?? 1_000_000);
    this.#freshAtMs = new Map(options.issuers.map((issuer) => [issuer, Number.NEGATIVE_INFINITY]));
  }

  get maxStalenessMs(): number {
    return this.#options.maxStalenessMs;
  }

  get maxTokenLifetimeSeconds(): number {
    return this.#options.maxTokenLifetimeSeconds;
  }

  /** Revocations that are held, some of which may be over. */
  get size(): number {
    return this.#entries.size;
  }

  /** What they take of memory. */
  get bytes(): number {
    return this.#entries.bytes;
  }

  /**
   * Whether it is known what was revoked lately: by this issuer, or, without one, by each of them. Of an issuer that
   * announces nothing there is nothing to know.
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
   * @param atMs When the question was asked that the answer is about: what was revoked since is not in it.
   */
  markComplete(issuer: string, atMs: number): void {
    this.#entries.tidy(Math.floor(this.now() / 1000));
    this.suspensions.endOfBeginning(issuer);
    this.#freshAtMs.set(issuer, Math.max(this.#freshAtMs.get(issuer) ?? atMs, atMs));
  }

  /** What the issuer announced lately is not known: nothing of it is permitted before `markComplete`. */
  markUnknown(issuer: string): void {
    if (this.#freshAtMs.has(issuer)) this.#freshAtMs.set(issuer, Number.NEGATIVE_INFINITY);
  }

  /** Ends everything that the issuer issued up to then, where it is not known what was ended. */
  revokeIssued(issuer: string, atSeconds: number): void {
    this.#endedBefore.set(issuer, Math.max(this.#endedBefore.get(issuer) ?? 0, Math.ceil(atSeconds)));
    this.#options.whenRevoked?.({ issuer }, atSeconds);
  }

  /**
   * @param atSeconds When it ended, seconds since the epoch.
   * @returns false when there is no room: then the view does not know of it, and must not be taken for complete.
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
    // Counted from when it was learnt, so that an event with an old date is kept long enough as well.
    const forgetAtSeconds = nowSeconds + this.#options.maxTokenLifetimeSeconds + CLOCK_TOLERANCE_SECONDS;
    return this.#entries.raise(
      this.#digestOf(key),
      forEver ? FOR_EVER : Math.ceil(endedAtSeconds),
      Math.ceil(forgetAtSeconds),
      Math.floor(nowSeconds),
    );
  }

  isRevoked(token: AuthenticatedToken): boolean {
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

  #isKeyRevoked({ issuer, keyId }: AuthenticatedToken): boolean {
    const keys = this.#revokedKeys.get(issuer);
    if (keys === undefined) return false;
    // Whoever has a leaked key can leave its name out.
    return keyId === undefined || keys.has(keyId);
  }

  #digestOf(key: Key): Digest {
    const bytes = hash('sha256', this.#seed + JSON.stringify(key), 'buffer');
    const begin = bytes.byteOffset;
    return new Uint32Array(bytes.buffer.slice(begin, begin + DIGEST_WORDS * 4));
  }
}

/** Of one kind, all of one length: no two that differ are written the same. */
type Key = readonly (string | null)[];

/**
 * Where an event is kept. The narrowest member alone is enough: a token, a consent and a session have identifiers of their
 * own, whoever else the event names; of a session one client's part can end.
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
  // An event that names nobody would end nothing; it must not look as if it had.
  if (subject === undefined && clientId === undefined) throw new Error('a revocation that names nobody');
  return { key: ['issued', issuer, subject ?? null, clientId ?? null], forEver: false };
}

/** Where the events are kept that a token can match. */
function keysFor(token: AuthenticatedToken): readonly Key[] {
  const { issuer, tokenId, exchangedFrom = [], sessionId, delegation, issuerDelegation } = token;
  // Events name people, clients and consents as their issuer does.
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
