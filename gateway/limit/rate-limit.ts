import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ceilingOf } from '../../policy/index.js';
import type { Policy } from '../../policy/index.js';
import type { AuthenticatedToken } from '../authenticate/index.js';
import { RefusedError } from '../errors.js';

/** Pairs of client and subject that are counted at a time; beyond it, those that were quiet longest are forgotten. */
const MAX_COUNTED = 100_000;

/**
 * Step 2 of the pipeline: how often one client may ask for one subject, by the rate class that the policy gives the client.
 * Fixed windows, counted by this gateway for itself.
 */
export class RateLimit {
  private readonly limiters: ReadonlyMap<string, RateLimiterMemory>;
  private readonly counted: LRUCache<string, RateLimiterMemory>;

  /** @param maxCounted Default 100,000. */
  constructor(
    private readonly policy: Policy,
    maxCounted = MAX_COUNTED,
  ) {
    this.limiters = new Map(
      [...policy.rateClasses.values()].map(({ name, requests, perSeconds }) => [
        name,
        new RateLimiterMemory({ points: requests, duration: perSeconds }),
      ]),
    );
    // The limiter itself keeps a counter for every key that it sees until its window ends, however many there are.
    this.counted = new LRUCache({
      max: maxCounted,
      dispose: (limiter, key) => void limiter.delete(key),
    });
  }

  /**
   * Counts one request. A client without a rate class is not limited; nor is a caller without a token, who has no client.
   *
   * @throws {RefusedError} 429 `RATE_LIMITED` with `Retry-After` (RFC 6585 section 4).
   */
  async count({ issuer, delegation }: AuthenticatedToken): Promise<void> {
    const ceiling = ceilingOf(this.policy, delegation.clientId);
    if (ceiling.kind !== 'client' || ceiling.client.rateClass === undefined) return;
    const limiter = this.limiters.get(ceiling.client.rateClass);
    if (limiter === undefined) throw new Error('the policy names a rate class that it lacks');
    const key = JSON.stringify([issuer, delegation.clientId, delegation.subject]);
    if (this.counted.get(key) === undefined) this.counted.set(key, limiter);
    try {
      await limiter.consume(key);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
      throw new RefusedError({
        code: 'RATE_LIMITED',
        message: 'Too many requests of this application for this person',
        status: 429,
        headers: new Map([['retry-after', String(seconds)]]),
      });
    }
  }
}
