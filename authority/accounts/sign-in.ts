import { BusyError, WorkQueue } from '../http/work-queue.js';
import type { KnownBrowsers } from './known-browsers.js';
import type { Account, AccountRegister } from './register.js';
import type { SignInThrottle } from './throttle.js';
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
  /** The password was not checked. */
  | { readonly kind: 'throttled' | 'busy'; readonly retryAfterMs: number };

/** @see SignIn */
export interface SignInOptions {
  readonly accounts: AccountRegister;
  readonly throttle: SignInThrottle;
  readonly browsers: KnownBrowsers;
}

/** The only place that checks passwords, with limits on how often and on how many at the same time. */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #hashing = new WorkQueue(HASHING);

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  async attempt(typed: {
    readonly username: string;
    readonly password: string;
    readonly network: string;
    readonly browserCookie: string | undefined;
  }): Promise<SignInResult> {
    const { accounts, browsers, throttle } = this.#options;
    const { network, password } = typed;
    const name = normalizeUsername(typed.username);
    const attempt = { name, network, browser: browsers.identify(typed.browserCookie, name) };
    const waitMs = throttle.admit(attempt);
    if (waitMs > 0) return { kind: 'throttled', retryAfterMs: waitMs };
    try {
      const account = await this.#hashing.run(attempt.browser ?? network, () =>
        accounts.authenticate(name, password),
      );
      if (account === undefined) return { kind: 'wrong' };
      throttle.takeBack(attempt);
      return { kind: 'signed-in', account, browserCookie: browsers.issue(name) };
    } catch (error) {
      throttle.takeBack(attempt);
      if (error instanceof BusyError) return { kind: 'busy', retryAfterMs: BUSY_RETRY_MS };
      throw error;
    }
  }
}
