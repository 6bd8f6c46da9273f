import { ceilingOf } from '@behalf/policy/internal';
import type { Policy, RateClass } from '@behalf/policy';
import type { AuthenticatedToken } from '../authenticate/token.js';
import { RefusedError } from '../errors.js';
import type { MeasuredOperation } from './limiter.js';
import type { CounterKey, RateCounters } from './rate-counters.js';

/** The state of one client for one subject. */
interface Counter {
  readonly key: CounterKey;
  readonly rateClass: RateClass;
}

/**
 * Step 2 of the pipeline: limits a client's requests for one subject by the client's rate class in the policy, in fixed
 * windows. The counters outlive the policy.
 */
export class RateLimit {
  readonly #policy: Policy;
  readonly #counters: RateCounters;

  constructor(policy: Policy, counters: RateCounters) {
    this.#policy = policy;
    this.#counters = counters;
  }

  /**
   * Counts one request, before its operation is known. Clients without a rate class are not limited; nor are anonymous callers,
   * who have no client.
   *
   * @throws {RefusedError} 429 `RATE_LIMITED` with `Retry-After` (RFC 6585 section 4)
   */
  async count(token: AuthenticatedToken): Promise<void> {
    const counter = this.#counterOf(token);
    if (counter !== undefined) await this.#consume(counter, 1);
  }

  /**
   * Counts an operation's weight beyond the one request from {@link count}. A refused one only leaves that one counted, so a
   * client that asks for too much at once may still ask for less.
   *
   * @throws {RefusedError} as `count`; without `Retry-After` for an operation that exceeds a whole window
   */
  async countWeight(token: AuthenticatedToken, operation: MeasuredOperation): Promise<void> {
    const counter = this.#counterOf(token);
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
      await this.#consume(counter, weight - 1);
    } catch (error) {
      if (error instanceof RefusedError)
        await this.#counters.giveBack(counter.rateClass, counter.key, weight - 1);
      throw error;
    }
  }

  #counterOf({ issuer, delegation }: AuthenticatedToken): Counter | undefined {
    const ceiling = ceilingOf(this.#policy, delegation.clientId);
    if (ceiling.kind !== 'client' || ceiling.client.rateClass === undefined) return undefined;
    const rateClass = this.#policy.rateClasses.get(ceiling.client.rateClass);
    if (rateClass === undefined) throw new Error('the policy names a rate class that it lacks');
    return { key: JSON.stringify([issuer, delegation.clientId, delegation.subject]), rateClass };
  }

  /** @throws {RefusedError} */
  async #consume({ rateClass, key }: Counter, requests: number): Promise<void> {
    const waitMs = await this.#counters.consume(rateClass, key, requests);
    if (waitMs === undefined) return;
    throw new RefusedError({
      code: 'RATE_LIMITED',
      message: 'Too many requests of this application for this person',
      status: 429,
      headers: new Map([['retry-after', String(Math.max(1, Math.ceil(waitMs / 1000)))]]),
    });
  }
}

/** The number of ordinary requests that an operation counts as: its root fields or its cost, whichever is more. */
function weightOf({ rootFields, cost }: MeasuredOperation, costPerRequest: number): number {
  return Math.max(1, rootFields, Math.ceil(cost / costPerRequest));
}
