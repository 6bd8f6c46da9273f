import { systemClock } from '@behalf/directives/internal';
import type { Clock } from '@behalf/directives';
import type { RevocationLog } from './log.js';
import type { RevokedSubject } from './view.js';

/** Access that has ended. Identifiers are the issuer's; those not announced are undefined. */
export interface Revocation {
  /**
   * `issuer`: everything that the issuer issued up to then. `unknown`: the hooks were too slow and some announcements were
   * dropped, so forget everything. The other kinds end what their identifier names; `subject` and `client` end what was issued
   * up to then to this person, this client, or both if both are given.
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

/** A consent that ended, because it was revoked, expired, or was replaced by a narrower one. */
export interface ConsentChange extends Revocation {
  readonly kind: 'consent';
  readonly issuer: string;
  readonly consentId: string;
}

/**
 * Called after a gateway itself enforces the announcement, one call at a time. An announcement may repeat, for example when a
 * stream begins anew. What a hook throws is logged without its message; a hook that takes longer than five seconds is not
 * awaited.
 */
export interface RevocationHooks {
  readonly onRevocation?: ((revocation: Revocation) => unknown) | undefined;
  /** Only for consents, for which {@link onRevocation} is called as well. */
  readonly onConsentChange?: ((change: ConsentChange) => unknown) | undefined;
}

const MAX_WAITING = 10_000;
const MAX_WAIT_MS = 5_000;
/** Minimum pause between log lines about failing hooks. */
const LOG_EVERY_MS = 10_000;

export interface HookQueueOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  readonly maxWaiting?: number | undefined;
  readonly maxWaitMs?: number | undefined;
}

/** Passes announcements to the team's hooks without ever delaying the view. */
export class HookQueue {
  readonly #hooks: RevocationHooks;
  readonly #log: RevocationLog;
  readonly #clock: Clock;
  readonly #maxWaiting: number;
  readonly #maxWaitMs: number;
  #waiting: Revocation[] = [];
  #isRunning = false;
  #failures = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    hooks: RevocationHooks,
    log: RevocationLog,
    { clock = systemClock, maxWaiting = MAX_WAITING, maxWaitMs = MAX_WAIT_MS }: HookQueueOptions = {},
  ) {
    this.#hooks = hooks;
    this.#log = log;
    this.#clock = clock;
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
      this.#waiting = [{ kind: 'unknown', endedAtMs: this.#clock.now() }];
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
    // Not during the announcing call: the view comes first.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#settle(() => onRevocation?.(revocation));
    if (isConsentChange(revocation)) await this.#settle(() => onConsentChange?.(revocation));
  }

  async #settle(hook: () => unknown): Promise<void> {
    let cancel: () => void = () => undefined;
    const late = new Promise<'late'>((resolve) => {
      cancel = this.#clock.after(this.#maxWaitMs, () => resolve('late'));
    });
    try {
      if ((await Promise.race([hook(), late])) === 'late') this.#logFailure('TIMEOUT');
    } catch {
      // Its message could contain anything.
      this.#logFailure('THROWN');
    } finally {
      cancel();
    }
  }

  #logFailure(reason: 'DROPPED' | 'THROWN' | 'TIMEOUT'): void {
    this.#failures += 1;
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#loggedAtMs < LOG_EVERY_MS) return;
    this.#loggedAtMs = nowMs;
    this.#log.log('error', 'REVOCATION_HOOK_FAILED', { reason, failures: this.#failures });
  }
}

/** As in the view: the narrowest member alone is enough. */
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
