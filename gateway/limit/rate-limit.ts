import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ceilingOf } from '../../policy/index.js';
import type { Policy, RateClass } from '../../policy/index.js';
import type { AuthenticatedToken } from '../authenticate/token.js';
import { RefusedError } from '../errors.js';
import type { MeasuredOperation } from './limiter.js';

/** Pairs of client and subject that are counted at a time; beyond it, those that were quiet longest are forgotten. */
const MAX_COUNTED = 100_000;

/** Of one client for one subject. */
interface Counter {
  readonly limiter: RateLimiterMemory;
  readonly key: string;
  readonly rateClass: RateClass;
}

/**
 * Step 2 of the pipeline: how much one client may ask for one subject, by the rate class that the policy gives the client.
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
   * Counts one request, before it is known what it asks. A client without a rate class is not limited; nor is a caller without
   * a token, who has no client.
   *
   * @throws {RefusedError} 429 `RATE_LIMITED` with `Retry-After` (RFC 6585 section 4).
   */
  async count(token: AuthenticatedToken): Promise<void> {
    const counter = this.counterOf(token);
    if (counter !== undefined) await consume(counter, 1);
  }

  /**
   * Counts what an operation weighs beyond the one request that {@link count} has counted. One that is refused leaves no more
   * than that one behind, so that a client which asks for too much at once may still ask for less.
   *
   * @throws {RefusedError} as `count`; without `Retry-After` for an operation that weighs more than the class in a whole window.
   */
  async countWeight(token: AuthenticatedToken, operation: MeasuredOperation): Promise<void> {
    const counter = this.counterOf(token);
    if (counter === undefined) return;
    const { requests, costPerRequest } = counter.rateClass;
    const weight = weightOf(operation, costPerRequest);
    if (weight > requests) {
      throw new RefusedError({
        code: 'RATE_LIMITED',
        message: `This operation counts as ${weight} requests, and this application may make ${requests} in a whole window`,
        status: 429,
      });
    }
    if (weight === 1) return;
    try {
      await consume(counter, weight - 1);
    } catch (error) {
      if (error instanceof RefusedError) await counter.limiter.reward(counter.key, weight - 1);
      throw error;
    }
  }

  private counterOf({ issuer, delegation }: AuthenticatedToken): Counter | undefined {
    const ceiling = ceilingOf(this.policy, delegation.clientId);
    if (ceiling.kind !== 'client' || ceiling.client.rateClass === undefined) return undefined;
    const limiter = this.limiters.get(ceiling.client.rateClass);
    const rateClass = this.policy.rateClasses.get(ceiling.client.rateClass);
    if (limiter === undefined || rateClass === undefined)
      throw new Error('the policy names a rate class that it lacks');
    const key = JSON.stringify([issuer, delegation.clientId, delegation.subject]);
    if (this.counted.get(key) === undefined) this.counted.set(key, limiter);
    return { limiter, key, rateClass };
  }
}

/** How many ordinary requests an operation counts as: by what it asks at its root, or by what it costs, whichever is more. */
function weightOf({ rootFields, cost }: MeasuredOperation, costPerRequest: number): number {
  return Math.max(1, rootFields, Math.ceil(cost / costPerRequest));
}

/** @throws {RefusedError} */
async function consume({ limiter, key }: Counter, requests: number): Promise<void> {
  try {
    await limiter.consume(key, requests);
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
