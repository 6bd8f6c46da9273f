import { BusyError, WorkQueue } from '../http/work-queue.js';
import type { KnownBrowsers } from './known-browsers.js';
import type { Account, AccountRegister, Authentication } from './register.js';
import type { SignInEvents, SignInOrigin } from './sign-in-events.js';
import type { Attempt, SignInThrottle } from './throttle.js';
import { normalizeUsername } from './username.js';

/**
 * How many passwords are hashed at the same time. Each takes 19 MiB and about 30 ms of one core; two leave the other two of
 * libuv's four threads to files and name resolution. The last waiting attempt has its turn within about a second.
 */
const HASHING = { atOnce: 2, waiting: 32, perKey: 8 } as const;
const BUSY_RETRY_MS = 2_000;

/** @see SignIn.attempt */
export type SignInResult =
  | { readonly kind: 'signed-in'; readonly account: Account; readonly browserCookie: string }
  | { readonly kind: 'wrong' }
  /** The password was right, but the application asks for somebody else. */
  | { readonly kind: 'another-person' }
  /** The password was not checked. */
  | { readonly kind: 'throttled' | 'busy'; readonly retryAfterMs: number };

/** @see SignIn */
export interface SignInOptions {
  readonly accounts: AccountRegister;
  readonly throttle: SignInThrottle;
  readonly browsers: KnownBrowsers;
  readonly events: SignInEvents;
}

/** What a person typed, and where. */
export interface TypedSignIn extends SignInOrigin {
  readonly username: string;
  readonly password: string;
  readonly network: string;
  readonly browserCookie: string | undefined;
  /** The subject that the application asks for; undefined if it asks for nobody in particular. */
  readonly expected: string | undefined;
}

/**
 * The only place that checks passwords, with limits on how often and on how many at the same time. What comes of it is recorded for
 * the audit log before anything else happens.
 */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #hashing = new WorkQueue(HASHING);

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  async attempt(typed: TypedSignIn): Promise<SignInResult> {
    const { browsers, events, throttle } = this.#options;
    const { expected, network } = typed;
    const name = normalizeUsername(typed.username);
    const attempt = { name, network, browser: browsers.identify(typed.browserCookie, name) };
    const waitMs = throttle.admit(attempt);
    if (waitMs > 0) {
      events.countThrottled();
      return { kind: 'throttled', retryAfterMs: waitMs };
    }
    const checked = await this.#check(attempt, typed.password);
    if (checked === 'busy') return { kind: 'busy', retryAfterMs: BUSY_RETRY_MS };
    const { account, claimed } = checked;
    if (account === undefined) {
      await events.failed({ ...typed, name, claimed, cause: 'wrong-password' });
      return { kind: 'wrong' };
    }
    throttle.takeBack(attempt);
    if (expected !== undefined && expected !== account.subject) {
      await events.failed({ ...typed, name, claimed, cause: 'another-person' });
      return { kind: 'another-person' };
    }
    await events.succeeded(account.subject, typed);
    return { kind: 'signed-in', account, browserCookie: browsers.issue(name) };
  }

  async #check(attempt: Attempt, password: string): Promise<Authentication | 'busy'> {
    const { accounts, throttle } = this.#options;
    const { browser, name, network } = attempt;
    try {
      return await this.#hashing.run(browser ?? network, () => accounts.authenticate(name, password));
    } catch (error) {
      throttle.takeBack(attempt);
      if (error instanceof BusyError) return 'busy';
      throw error;
    }
  }
}
