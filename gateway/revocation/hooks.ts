import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayLog } from '../log.js';
import type { RevokedSubject } from './view.js';

/** What has ended. Identifiers are the issuer's; those not announced are undefined. */
export interface Revocation {
  /**
   * `issuer`: everything that the issuer issued up to then. `unknown`: announcements came faster than the hooks took them, and
   * some were dropped: forget everything. The others end what their identifier names, or, for `subject` and `client`, what
   * was issued up to then to this person, to this client, or to both where both are given.
   */
  readonly kind: 'consent' | 'session' | 'token' | 'subject' | 'client' | 'key' | 'issuer' | 'unknown';
  /** Undefined for `unknown`. */
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly clientId?: string | undefined;
  readonly consentId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly tokenId?: string | undefined;
  readonly keyId?: string | undefined;
  /** When it ended, milliseconds since the epoch, by the issuer's clock. */
  readonly endedAtMs: number;
}

/** A consent that does not stand any more, because it was revoked, has expired, or was replaced by a narrower one. */
export interface ConsentChange extends Revocation {
  readonly kind: 'consent';
  readonly issuer: string;
  readonly consentId: string;
}

/**
 * Called after the gateway itself enforces what was announced, one call after the other. An announcement may be told again, for
 * one when a stream begins anew. What a hook throws is logged without its message; a hook that takes longer than five
 * seconds is not waited for.
 */
export interface RevocationHooks {
  readonly onRevocation?: ((revocation: Revocation) => unknown) | undefined;
  /** Only for consents, which {@link onRevocation} is told about as well. */
  readonly onConsentChange?: ((change: ConsentChange) => unknown) | undefined;
}

const MAX_WAITING = 10_000;
const MAX_WAIT_MS = 5_000;
/** Failures of hooks are logged at most this often. */
const LOG_EVERY_MS = 10_000;

/** Hands announcements to hooks of the team's own, without ever making the view wait for them. */
export class HookQueue {
  readonly #hooks: RevocationHooks;
  readonly #log: GatewayLog;
  readonly #maxWaiting: number;
  readonly #maxWaitMs: number;
  #waiting: Revocation[] = [];
  #isRunning = false;
  #failures = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(hooks: RevocationHooks, log: GatewayLog, maxWaiting = MAX_WAITING, maxWaitMs = MAX_WAIT_MS) {
    this.#hooks = hooks;
    this.#log = log;
    this.#maxWaiting = maxWaiting;
    this.#maxWaitMs = maxWaitMs;
  }

  tell(what: RevokedSubject, atSeconds: number): void {
    this.#add({ ...what, kind: kindOf(what), endedAtMs: Math.round(atSeconds * 1_000) });
  }

  #add(revocation: Revocation): void {
    if (this.#hooks.onRevocation === undefined && this.#hooks.onConsentChange === undefined) return;
    if (this.#waiting.length >= this.#maxWaiting) {
      // A cache that misses an announcement must not look complete.
      this.#waiting = [{ kind: 'unknown', endedAtMs: Date.now() }];
      this.#logFailure('DROPPED');
    } else this.#waiting.push(revocation);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const revocation of batch) await this.#call(revocation);
    }
    this.#isRunning = false;
  }

  async #call(revocation: Revocation): Promise<void> {
    const { onRevocation, onConsentChange } = this.#hooks;
    // Not within the call that announces: the view comes first.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#settle(() => onRevocation?.(revocation));
    if (isConsentChange(revocation)) await this.#settle(() => onConsentChange?.(revocation));
  }

  async #settle(hook: () => unknown): Promise<void> {
    const over = new AbortController();
    const late = sleep(this.#maxWaitMs, 'late', { signal: over.signal, ref: false }).catch(() => undefined);
    try {
      if ((await Promise.race([hook(), late])) === 'late') this.#logFailure('TIMEOUT');
    } catch {
      // Its message could hold anything.
      this.#logFailure('THROWN');
    } finally {
      over.abort();
    }
  }

  #logFailure(reason: 'DROPPED' | 'THROWN' | 'TIMEOUT'): void {
    this.#failures += 1;
    const nowMs = performance.now();
    if (nowMs - this.#loggedAtMs < LOG_EVERY_MS) return;
    this.#loggedAtMs = nowMs;
    this.#log.log('error', 'REVOCATION_HOOK_FAILED', { reason, failures: this.#failures });
  }
}

/** As the view keeps it: the narrowest member alone is enough. */
function kindOf({
  keyId,
  tokenId,
  consentId,
  sessionId,
  subject,
  clientId,
}: RevokedSubject): Revocation['kind'] {
  if (keyId !== undefined) return 'key';
  if (tokenId !== undefined) return 'token';
  if (consentId !== undefined) return 'consent';
  if (sessionId !== undefined) return 'session';
  if (subject !== undefined) return 'subject';
  return clientId === undefined ? 'issuer' : 'client';
}

function isConsentChange(revocation: Revocation): revocation is ConsentChange {
  return revocation.kind === 'consent';
}
