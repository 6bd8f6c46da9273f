import { sql } from 'kysely';
import { errors, Provider } from 'oidc-provider';

import { isPublic } from '../clients/check.js';
import type { FindClient } from '../clients/find.js';
import type { ClientNetworks } from '../http/client-networks.js';
import { TokenBuckets } from '../http/token-buckets.js';
import type { AuthorityDatabase } from '../schema.js';

/** Rows that are stored for people who have not signed in, and for applications that need no secret. */
export const PENDING_MODELS: ReadonlySet<string> = new Set(['Interaction', 'PushedAuthorizationRequest']);

/** From one network up to about 1,000 stand at the same time: the burst, and 15 minutes of the rest. */
export const PENDING_RATE = { burst: 120, everyMs: 1_000 } as const;

/** Of all networks, over all instances. One has 64 kB at most, most have 2 kB. */
export const MAX_PENDING = 20_000;

/** They are counted this often at most; what was admitted since is added. */
const COUNTED_EVERY_MS = 1_000;
const BUSY_RETRY_MS = 10_000;

/** Shown to whoever asked, and not sent on to the application: that would be one more request for each. */
export class TooManyPending extends errors.OIDCProviderError {
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
  readonly now?: () => number;
  readonly atMost?: number;
}

/**
 * Bounds what anybody can have stored by starting to sign in: for each network, and in total. Nothing is pushed out to make room:
 * a sign-in under way is never lost to somebody who starts others. What is too much is refused until earlier ones are over.
 */
export class PendingRequests {
  readonly #options: PendingRequestsOptions;
  readonly #now: () => number;
  readonly #networks: TokenBuckets;
  #total: { readonly countedAtMs: number; readonly stored: Promise<number> } | undefined;
  #admittedSince = 0;

  constructor(options: PendingRequestsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#networks = new TokenBuckets(PENDING_RATE, this.#now);
  }

  /**
   * Counts one that is about to be stored.
   *
   * @throws TooManyPending 429 for one network's too many, 503 when there are too many at all
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
    const nowMs = this.#now();
    if (this.#total === undefined || nowMs - this.#total.countedAtMs >= COUNTED_EVERY_MS) {
      const stored = this.#count();
      this.#total = { countedAtMs: nowMs, stored };
      this.#admittedSince = 0;
      // A count that failed is not kept.
      stored.catch(() => (this.#total = undefined));
    }
    return this.#total.stored;
  }

  /** Those that are over and not removed yet take room as well. */
  async #count(): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      select count(*) from authority.oidc_payload where model = any(${[...PENDING_MODELS]}::text[])`.execute(
      this.#options.db,
    );
    return rows[0]?.count ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * Called before a row is stored. What an application pushes that has proved who it is, is its own to bound.
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
  // Our own pages, outside of oidc-provider, write to what was admitted before. On the way back from them, what is stored takes
  // the place of that: a sign-in that has begun can be finished, whatever others do.
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
