import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { sql } from 'kysely';

import { errors, Provider } from './oidc-provider.js';
import { isPublic } from '../clients/check.js';
import type { FindClient } from '../clients/find.js';
import type { ClientNetworks } from '../http/client-networks.js';
import { TokenBuckets } from '../http/token-buckets.js';
import type { AuthorityDatabase } from '../schema.js';

/** The models that are stored for people who have not signed in, and for public clients. */
export const PENDING_MODELS: ReadonlySet<string> = new Set(['Interaction', 'PushedAuthorizationRequest']);

/** Allows about 1,000 at the same time from one network: the burst, plus 15 minutes of the steady rate. */
export const PENDING_RATE = { burst: 120, everyMs: 1_000 } as const;

/** For all networks and instances together. A row has at most 64 kB, and typically 2 kB. */
const MAX_PENDING = 20_000;

/** The least time between two counts. Rows admitted since are added. */
const COUNTED_EVERY_MS = 1_000;
const BUSY_RETRY_MS = 10_000;

/** Shown to the person, and not sent on to the application, which would take one more request each. */
class TooManyPending extends errors.OIDCProviderError {
  readonly retryAfterSeconds: number;

  constructor(status: 429 | 503, description: string, retryAfterMs: number) {
    super(status, 'temporarily_unavailable');
    this.allow_redirect = false;
    this.expose = true;
    this.error_description = description;
    this.retryAfterSeconds = Math.ceil(retryAfterMs / 1000);
  }
}

/** @see PendingRequests */
export interface PendingRequestsOptions {
  readonly db: AuthorityDatabase;
  /** Default: the machine's. */
  readonly clock?: Pick<Clock, 'monotonic'>;
  readonly atMost?: number;
}

/**
 * Bounds how much anybody can have stored by starting to sign in, per network and in total. Nothing is evicted: a sign-in in
 * progress is never lost because somebody starts others. Further ones are refused until earlier ones end.
 */
export class PendingRequests {
  readonly #options: PendingRequestsOptions;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #networks: TokenBuckets;
  #total: { readonly countedAtMs: number; readonly stored: Promise<number> } | undefined;
  #admittedSince = 0;

  constructor(options: PendingRequestsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#networks = new TokenBuckets(PENDING_RATE, this.#clock);
  }

  /**
   * Counts a row that is about to be stored.
   *
   * @throws TooManyPending 429 for too many of one network, 503 for too many in total
   */
  async admit(network: string): Promise<void> {
    const waitMs = this.#networks.waitMs(network);
    if (waitMs > 0) throw new TooManyPending(429, 'too many requests from this network', waitMs);
    this.#networks.take(network);
    const { atMost = MAX_PENDING } = this.#options;
    const stored = await this.#stored();
    if (stored + this.#admittedSince >= atMost) {
      throw new TooManyPending(503, 'too many people are signing in', BUSY_RETRY_MS);
    }
    this.#admittedSince += 1;
  }

  async #stored(): Promise<number> {
    const nowMs = this.#clock.monotonic();
    if (this.#total === undefined || nowMs - this.#total.countedAtMs >= COUNTED_EVERY_MS) {
      const stored = this.#count();
      this.#total = { countedAtMs: nowMs, stored };
      this.#admittedSince = 0;
      // A failed count is not cached.
      stored.catch(() => (this.#total = undefined));
    }
    return this.#total.stored;
  }

  /** Expired rows that are not removed yet count as well. */
  async #count(): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      select count(*) from authority.oidc_payload where model = any(${[...PENDING_MODELS]}::text[])`.execute(
      this.#options.db,
    );
    return rows[0]?.count ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * Called before a row is stored. Requests pushed by an authenticated application do not count.
 *
 * @throws TooManyPending
 */
export async function admitPending(
  model: string,
  rules: {
    readonly pending: PendingRequests;
    readonly networks: ClientNetworks;
    readonly findClient: FindClient;
  },
): Promise<void> {
  const { ctx } = Provider;
  // Our own pages update rows that were admitted before, and the row stored on return replaces them. A sign-in that has begun can
  // thus always be finished.
  if (ctx === undefined || ctx.oidc.route === 'resume') return;
  if (model === 'PushedAuthorizationRequest') {
    const client = await rules.findClient(ctx.oidc.client?.clientId ?? '');
    if (client !== undefined && !isPublic(client)) return;
  }
  try {
    await rules.pending.admit(rules.networks.of(ctx.req));
  } catch (error) {
    if (error instanceof TooManyPending) ctx.set('retry-after', String(error.retryAfterSeconds));
    throw error;
  }
}
