import { createHash } from 'node:crypto';
import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import type { GatewayExecutor, GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import type { QueryPlan } from '@apollo/query-planner';
import { print } from 'graphql';
import { LRUCache } from 'lru-cache';
import { BYTES_PER_CHARACTER, ByteCache } from '../byte-cache.js';
import { cacheTime } from '../cache-time.js';
import { Planner, PlanningLimitError } from './planner.js';
import type { PlannerOptions, PlanningBudget } from './planner.js';

/** For this long, an operation that exceeded its budget is refused without another attempt. */
const REFUSED_MS = 10 * 60 * 1_000;
const MAX_REFUSED = 1_000;

/** The shared budget of one HTTP request's operations. */
export interface SharedPlanning {
  /** Undefined until one of them is planned. */
  planning: PlanningBudget | undefined;
}

export interface QueryPlansOptions {
  readonly maxBytes: number;
  /** Absent: @apollo/gateway plans by itself in the gateway's thread, without a time limit. */
  readonly planner?: PlannerOptions & { readonly budgetMs: number };
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * The query plans of one supergraph version. @apollo/gateway looks here before it plans by itself. With a planner it finds
 * every plan, because a missing one is planned in another thread before it is called.
 */
export class QueryPlans {
  readonly #plans: ByteCache<QueryPlan>;
  /** Plans of running requests: they must still be there when they are looked up. */
  readonly #held = new Map<string, { readonly plan: QueryPlan; holders: number }>();
  readonly #underWay = new Map<string, Promise<QueryPlan>>();
  readonly #refused: LRUCache<string, true>;
  readonly #planner: Planner | undefined;
  readonly #budgetMs: number;

  constructor({ maxBytes, planner, clock = systemClock }: QueryPlansOptions) {
    this.#refused = new LRUCache({ max: MAX_REFUSED, ttl: REFUSED_MS, ...cacheTime(clock) });
    this.#plans = new ByteCache(maxBytes);
    this.#planner = planner === undefined ? undefined : new Planner(planner);
    this.#budgetMs = planner?.budgetMs ?? Number.POSITIVE_INFINITY;
  }

  /** Estimated size of the cache. */
  get bytes(): number {
    return this.#plans.bytes;
  }

  // In the form of @apollo/gateway's cache option.

  async get(key: string): Promise<QueryPlan | undefined> {
    const plan = this.#held.get(key)?.plan ?? this.#plans.get(key);
    // It would plan by itself, and nothing could stop it.
    if (plan === undefined && this.#planner !== undefined) throw new Error('the operation was not planned');
    return plan;
  }

  async set(key: string, plan: QueryPlan): Promise<void> {
    this.#keep(key, plan, JSON.stringify(plan).length);
  }

  async delete(key: string): Promise<boolean> {
    return this.#plans.delete(key);
  }

  clear(): void {
    this.#plans.clear();
  }

  /** Ensures that there is a plan before the executor looks for one. */
  async execute(
    request: GatewayGraphQLRequestContext,
    shared: SharedPlanning,
    executor: GatewayExecutor,
  ): ReturnType<GatewayExecutor> {
    if (this.#planner === undefined) return executor(request);
    const key = planKey(request);
    const plan = this.#plans.get(key) ?? (await this.#planned(key, request, shared, this.#planner));
    const holding = this.#held.get(key) ?? { plan, holders: 0 };
    holding.holders += 1;
    this.#held.set(key, holding);
    try {
      return await executor(request);
    } finally {
      holding.holders -= 1;
      if (holding.holders === 0) this.#held.delete(key);
    }
  }

  /** @see Planner.retire */
  retire(): void {
    this.#planner?.retire();
  }

  close(): void {
    this.#planner?.close();
  }

  #planned(
    key: string,
    request: GatewayGraphQLRequestContext,
    shared: SharedPlanning,
    planner: Planner,
  ): Promise<QueryPlan> {
    if (this.#refused.has(key)) return Promise.reject(new PlanningLimitError(this.#budgetMs));
    const waitedFor = this.#underWay.get(key);
    if (waitedFor !== undefined) {
      return waitedFor.catch((error: unknown) => {
        // The previous request stopped for lack of budget, due to its other operations; this one may have enough.
        if (error instanceof PlanningLimitError && error.budgetMs < this.#budgetMs)
          return this.#planned(key, request, shared, planner);
        throw error;
      });
    }
    shared.planning ??= { leftMs: this.#budgetMs };
    const planning = this.#planWith(planner, key, request, shared.planning).finally(() =>
      this.#underWay.delete(key),
    );
    this.#underWay.set(key, planning);
    return planning;
  }

  async #planWith(
    planner: Planner,
    key: string,
    { document, request }: GatewayGraphQLRequestContext,
    budget: PlanningBudget,
  ): Promise<QueryPlan> {
    try {
      const plan = await planner.plan(
        { text: print(document), operationName: request.operationName || undefined },
        budget,
      );
      const parsed = JSON.parse(plan) as QueryPlan;
      this.#keep(key, parsed, plan.length);
      return parsed;
    } catch (error) {
      // With less than the whole budget: another request may still get it planned.
      if (error instanceof PlanningLimitError && error.budgetMs >= this.#budgetMs)
        this.#refused.set(key, true);
      throw error;
    }
  }

  #keep(key: string, plan: QueryPlan, characters: number): void {
    this.#plans.set(key, plan, characters, BYTES_PER_CHARACTER.plan);
  }
}

/** As @apollo/gateway makes it: the text's hash, and the operation name if the request gave one. */
function planKey({ queryHash, request: { operationName } }: GatewayGraphQLRequestContext): string {
  if (operationName === undefined || operationName === '') return queryHash;
  return createHash('sha256').update(queryHash).update(operationName).digest('hex');
}
