import type { Clock } from '@behalf/directives';
import type { AuthenticatedToken } from '../authenticate/token.js';
import type { ClientOperation } from '../authorize/index.js';
import { RefusedError } from '../errors.js';
import type { GatewayLog } from '../log.js';
import type { CostModel } from './cost-model.js';
import { OperationLimiter } from './limiter.js';
import { limitRefusal } from './limits.js';
import type { Exceeded, OperationLimits } from './limits.js';
import { makeRateCounters } from './counter-stores.js';
import type { RateCounters } from './rate-counters.js';
import type { RateLimit } from './rate-limit.js';

/** The size limits of operations, and the resources for processing and caching them. */
export interface LimitSettings extends OperationLimits {
  /** Assumed size of a list without a stated one. Default 10. */
  readonly listSize: number;
  /** Milliseconds of processor time that one request may spend on planning, in a worker. Default 100. */
  readonly planningMs: number;
  /** Operations that may wait for the planner. Default 100. */
  readonly planningQueue: number;
  /**
   * Whether operations are planned in a thread that is ended when one takes too long. Default false:
   * @apollo/gateway plans in the gateway's thread, within the limits above and its planner's own. Behalf's server always plans
   * in a worker.
   */
  readonly planInWorker: boolean;
  /**
   * Where requests are counted against their rate classes: in this gateway's `memory` (the default), or at the address of a
   * PostgreSQL (`postgres://…`, needs the package `pg`), Redis or Valkey (`redis://…`, needs `ioredis`) that several gateways
   * share.
   */
  readonly store: string;
  /** Estimated megabytes for all caches of operations. Default 256. */
  readonly cacheMegabytes: number;
}

export interface RequestLimitsOptions {
  readonly limits: LimitSettings;
  /** In shadow mode, excess requests are only reported. */
  readonly isShadow: boolean;
  readonly log: GatewayLog;
  readonly clock: Clock;
}

/** The part of an authenticated operation by which it is counted. */
export interface CountedCaller {
  readonly exchange: { readonly transactionId: string };
  readonly token: AuthenticatedToken | undefined;
  readonly rules: { readonly rateLimit: RateLimit | undefined };
}

/** Step 2 of the pipeline: refuses what is too large or too frequent, before anything is decided or planned. */
export class RequestLimits {
  readonly limiter: OperationLimiter;
  /** They outlive a policy: they count for the current one and its predecessors. */
  readonly counters: RateCounters;
  readonly #options: RequestLimitsOptions;

  constructor(options: RequestLimitsOptions) {
    this.#options = options;
    this.limiter = new OperationLimiter(options.limits);
    this.counters = makeRateCounters(options.limits.store, options.log, options.clock);
  }

  /** Counts one request against its client's rate class. @throws {RefusedError} 429 `RATE_LIMITED` */
  async countRequest(caller: CountedCaller): Promise<void> {
    const { rules, token } = caller;
    if (token !== undefined) await this.#noteInShadow(caller, async () => rules.rateLimit?.count(token));
  }

  /**
   * Measures an operation, and counts its weight against its client's rate class. Its size is limited in shadow mode, too,
   * because an exhausted gateway answers nobody.
   *
   * @throws {RefusedError} 400 `OPERATION_LIMIT_EXCEEDED`, 429 `RATE_LIMITED`
   */
  async measure(
    caller: CountedCaller,
    { document, operation }: Pick<ClientOperation, 'document' | 'operation'>,
    variables: Readonly<Record<string, unknown>>,
    costs: CostModel,
  ): Promise<void> {
    refuseExceeded(this.limiter.checkDocument(document) ?? this.limiter.checkVariables(variables));
    const { measured, exceeded } = this.limiter.measure(document, operation, variables, costs);
    refuseExceeded(exceeded);
    const { rules, token } = caller;
    if (token !== undefined)
      await this.#noteInShadow(caller, async () => rules.rateLimit?.countWeight(token, measured));
  }

  async #noteInShadow({ exchange }: CountedCaller, count: () => Promise<void>): Promise<void> {
    try {
      await count();
    } catch (error) {
      if (!this.#options.isShadow || !(error instanceof RefusedError)) throw error;
      this.#options.log.log('info', 'WOULD_LIMIT', { transaction: exchange.transactionId });
    }
  }
}

/** @throws {RefusedError} */
function refuseExceeded(exceeded: Exceeded | undefined): void {
  if (exceeded !== undefined) throw limitRefusal(exceeded);
}
