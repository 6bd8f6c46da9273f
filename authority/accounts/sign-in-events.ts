import type { Clock } from '@behalf/directives';
import { every } from '@behalf/directives/internal';

import { recordEvents } from '../audit/record-events.js';
import { type BucketRate, TokenBuckets } from '../http/token-buckets.js';
import type { AuthorityDatabase } from '../schema.js';

/**
 * How many failed sign-ins are recorded one by one. Anybody can cause them, so they are bounded by network, by name and in total;
 * the rest is counted. With these, one instance records less than 11,000 a day, whoever tries.
 */
export const RECORDED_FAILURES = {
  network: { burst: 5, everyMs: 60_000 },
  name: { burst: 5, everyMs: 60_000 },
  total: { burst: 60, everyMs: 10_000 },
} as const satisfies Record<string, BucketRate>;

const COUNTED_EVERY_MS = 60_000;
const EVERYBODY = '';

/** Where a sign-in came from. */
export interface SignInOrigin {
  /** The application whose authorization request it answers. */
  readonly clientId: string;
  /** As {@link ClientNetworks.sourceOf} has it. */
  readonly source: string | undefined;
}

/** A sign-in that was refused after its password was checked. */
export interface FailedSignIn extends SignInOrigin {
  /** Normalized, as it was typed: it is counted, and never recorded. */
  readonly name: string;
  readonly network: string;
  /** Whose username it is. */
  readonly claimed: string | undefined;
  /** `another-person`: the password was right, but the application asked for somebody else. */
  readonly cause: 'wrong-password' | 'another-person';
}

/** @see SignInEvents */
export interface SignInEventsOptions {
  readonly db: AuthorityDatabase;
  readonly clock: Clock;
}

interface Counted {
  failed: number;
  throttled: number;
  readonly sinceMs: number;
}

/** Records sign-ins for the audit log. Nothing that somebody typed gets there: a person may type a password as their name. */
export class SignInEvents {
  readonly #options: SignInEventsOptions;
  readonly #networks: TokenBuckets;
  readonly #names: TokenBuckets;
  readonly #total: TokenBuckets;
  readonly #stop: () => void;
  #counted: Counted;
  #recording: Promise<void> | undefined;

  constructor(options: SignInEventsOptions) {
    const { clock } = options;
    this.#options = options;
    this.#counted = { failed: 0, throttled: 0, sinceMs: clock.now() };
    this.#networks = new TokenBuckets(RECORDED_FAILURES.network, clock);
    this.#names = new TokenBuckets(RECORDED_FAILURES.name, clock);
    this.#total = new TokenBuckets(RECORDED_FAILURES.total, clock);
    this.#stop = every(clock, COUNTED_EVERY_MS, () => void this.#recordCounted().catch(() => undefined));
  }

  async succeeded(subject: string, { clientId, source }: SignInOrigin): Promise<void> {
    const cause = { request: { caller: { subject, clientId } } };
    await recordEvents(this.#options.db, [{ event: 'signed-in', cause, details: { source } }]);
  }

  async failed(attempt: FailedSignIn): Promise<void> {
    const { cause: why, claimed, clientId, source } = attempt;
    if (!this.#isRecorded(attempt)) {
      this.#counted.failed += 1;
      return;
    }
    const cause = { request: { caller: { clientId } } };
    const subjects = claimed === undefined ? [] : [claimed];
    const details = { cause: why, source };
    await recordEvents(this.#options.db, [{ event: 'sign-in-failed', cause, subjects, details }]);
  }

  /** An attempt whose password was not even checked. */
  countThrottled(): void {
    this.#counted.throttled += 1;
  }

  /** Records what was counted until now. */
  async close(): Promise<void> {
    this.#stop();
    await this.#recordCounted().catch(() => undefined);
  }

  #isRecorded({ name, network }: FailedSignIn): boolean {
    const limits = [
      { buckets: this.#networks, key: network },
      { buckets: this.#names, key: name },
      { buckets: this.#total, key: EVERYBODY },
    ];
    if (limits.some(({ buckets, key }) => buckets.waitMs(key) > 0)) return false;
    for (const { buckets, key } of limits) buckets.take(key);
    return true;
  }

  async #recordCounted(): Promise<void> {
    this.#recording ??= this.#recordOnce().finally(() => (this.#recording = undefined));
    return this.#recording;
  }

  /** What cannot be recorded now is counted on. */
  async #recordOnce(): Promise<void> {
    const { failed, throttled, sinceMs: since } = this.#counted;
    if (failed === 0 && throttled === 0) return;
    const untilMs = this.#options.clock.now();
    const details = { failed, throttled, since };
    await recordEvents(this.#options.db, [{ event: 'sign-in-failures-counted', details }]);
    const { failed: failedNow, throttled: throttledNow } = this.#counted;
    this.#counted = { failed: failedNow - failed, throttled: throttledNow - throttled, sinceMs: untilMs };
  }
}
