import type { AuthenticatedToken } from '../authenticate/index.js';

/** What an event ends: every token that matches all the members that are given. */
export interface RevokedSubject {
  /** Whose announcement it is: it ends only that issuer's tokens. */
  readonly issuer: string;
  readonly subject?: string;
  readonly clientId?: string;
  /** The consent. It ends for ever; the others end what was issued up to the event. */
  readonly consentId?: string;
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
  /** Milliseconds, never set back. */
  readonly now?: () => number;
}

interface Entry {
  /** Tokens issued up to then are dead, seconds since the epoch. */
  readonly notBefore: number;
  readonly forgetAtMs: number;
}

/**
 * Clocks of issuer and gateway may differ by so much before something is forgotten too early. An event from further in the
 * future ends what is issued up to here: later tokens would outlive the memory of it.
 */
const CLOCK_TOLERANCE_SECONDS = 60;

/** Leaked keys of one issuer. More than that are a mistake, or an attack on memory. */
const REVOKED_KEYS_AT_MOST = 1_000;

/**
 * What is revoked and not yet forgotten, in memory. It knows how old its knowledge is, and starts as too old.
 */
export class RevocationView {
  /** In the order of the events, which is that in which they are forgotten. */
  private readonly entries = new Map<string, Entry>();
  /**
   * By issuer. Never forgotten while this process lives: whoever has the key can date what it signs as they like, and a key
   * set that could not be fetched anew may still hold it.
   */
  private readonly revokedKeys = new Map<string, Set<string>>();
  /** By issuer: when what it announced was last known to be in the view. */
  private readonly freshAtMs: Map<string, number>;
  /** Milliseconds on a clock that is never set back. */
  readonly now: () => number;

  constructor(private readonly options: RevocationViewOptions) {
    this.now = options.now ?? (() => performance.timeOrigin + performance.now());
    this.freshAtMs = new Map(options.issuers.map((issuer) => [issuer, Number.NEGATIVE_INFINITY]));
  }

  get maxTokenLifetimeSeconds(): number {
    return this.options.maxTokenLifetimeSeconds;
  }

  get size(): number {
    return this.entries.size;
  }

  /**
   * Whether it is known what was revoked lately: by this issuer, or, without one, by each of them. Of an issuer that
   * announces nothing there is nothing to know.
   */
  isFresh(issuer?: string): boolean {
    const leastMs = this.now() - this.options.maxStalenessMs;
    if (issuer !== undefined) return (this.freshAtMs.get(issuer) ?? Infinity) >= leastMs;
    return [...this.freshAtMs.values()].every((atMs) => atMs >= leastMs);
  }

  /** Since the oldest answer that the view rests on; Infinity before the first. */
  get ageSeconds(): number {
    return (this.now() - Math.min(...this.freshAtMs.values())) / 1_000;
  }

  /**
   * Everything that the issuer announced up to now is in the view.
   *
   * @param atMs When the question was asked that the answer is about: what was revoked since is not in it.
   */
  markComplete(issuer: string, atMs: number): void {
    this.forget();
    this.freshAtMs.set(issuer, Math.max(this.freshAtMs.get(issuer) ?? atMs, atMs));
  }

  /**
   * @param atSeconds When it ended, seconds since the epoch.
   * @returns false when there is no room: then the view does not know of it, and must not be taken for complete.
   */
  revoke(what: RevokedSubject, atSeconds: number): boolean {
    if (what.keyId !== undefined) return this.revokeKey(what.issuer, what.keyId);
    const key = keyOf(what);
    // An event that names nobody would end nothing; it must not look as if it had.
    if (key === undefined) throw new Error('a revocation that names neither consent, client nor subject');
    const known = this.entries.get(key);
    const endedAtSeconds = Math.min(atSeconds, this.now() / 1000 + CLOCK_TOLERANCE_SECONDS);
    const notBefore =
      what.consentId === undefined
        ? Math.max(endedAtSeconds, known?.notBefore ?? endedAtSeconds)
        : Number.POSITIVE_INFINITY;
    this.entries.delete(key);
    this.forget();
    if (this.entries.size >= (this.options.maxEntries ?? 1_000_000)) {
      // What was known of this subject stays known.
      if (known !== undefined) this.entries.set(key, known);
      return false;
    }
    this.entries.set(key, {
      notBefore,
      // Counted from when it was learnt, so that an event with an old date is kept long enough as well.
      forgetAtMs: this.now() + (this.options.maxTokenLifetimeSeconds + CLOCK_TOLERANCE_SECONDS) * 1000,
    });
    return true;
  }

  isRevoked(token: AuthenticatedToken): boolean {
    const { issuer, issuedAt, delegation } = token;
    const { subject, clientId, consent } = delegation;
    const matches = (what: RevokedSubject): boolean => {
      const entry = this.entries.get(keyOf(what) ?? '');
      return entry !== undefined && issuedAt <= entry.notBefore;
    };
    return (
      this.isKeyRevoked(token) ||
      (consent !== undefined && matches({ issuer, consentId: consent.id })) ||
      matches({ issuer, clientId }) ||
      matches({ issuer, subject }) ||
      matches({ issuer, subject, clientId })
    );
  }

  private revokeKey(issuer: string, keyId: string): boolean {
    const keys = this.revokedKeys.get(issuer) ?? new Set<string>();
    if (!keys.has(keyId) && keys.size >= REVOKED_KEYS_AT_MOST) return false;
    this.revokedKeys.set(issuer, keys.add(keyId));
    return true;
  }

  private isKeyRevoked({ issuer, keyId }: AuthenticatedToken): boolean {
    const keys = this.revokedKeys.get(issuer);
    if (keys === undefined) return false;
    // Whoever has a leaked key can leave its name out.
    return keyId === undefined || keys.has(keyId);
  }

  private forget(): void {
    const nowMs = this.now();
    for (const [key, entry] of this.entries) {
      if (entry.forgetAtMs > nowMs) break;
      this.entries.delete(key);
    }
  }
}

/** The consent alone is enough: its identifier is used once, whoever else the event names. */
function keyOf({ issuer, subject, clientId, consentId }: RevokedSubject): string | undefined {
  if (consentId !== undefined) return JSON.stringify(['consent', issuer, consentId]);
  if (subject === undefined && clientId === undefined) return undefined;
  return JSON.stringify(['issued', issuer, subject ?? null, clientId ?? null]);
}
