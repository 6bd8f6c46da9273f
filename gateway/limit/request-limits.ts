import type { ClientOperation } from '../authorize/index.js';
import { RefusedError } from '../errors.js';
import type { GatewayLog } from '../log.js';
import type { Authenticated } from '../steps/stages.js';
import type { CostModel } from './cost-model.js';
import { OperationLimiter } from './limiter.js';
import { limitRefusal } from './limits.js';
import type { Exceeded, OperationLimits } from './limits.js';
import { makeRateCounters } from './counter-stores.js';
import type { RateCounters } from './rate-counters.js';

/** How large an operation may be, and what may be spent and kept on behalf of it. */
export interface LimitSettings extends OperationLimits {
  /** Assumed of a list whose size `@listSize` does not tell. Default 10. */
  readonly listSize: number;
  /** Milliseconds of the processor that one request may spend on planning, in a worker. Default 100. */
  readonly planningMs: number;
  /** Operations that wait for the planner at a time. Default 100. */
  readonly planningQueue: number;
  /**
   * Whether operations are planned in a thread that is ended when one takes too long. Default false: @apollo/gateway plans in
   * the thread of the gateway, within the limits above and its planner's own. Behalf's server always plans in a worker.
   */
  readonly planInWorker: boolean;
  /**
   * Where requests are counted against their rate classes: `memory` (the default) of this gateway, or the address of a
   * PostgreSQL (`postgres://…`, needs the package `pg`), Redis or Valkey (`redis://…`, needs `ioredis`) that several gateways share.
   */
  readonly store: string;
  /** Megabytes, estimated, for everything that is kept of operations. Default 256. */
  readonly cacheMegabytes: number;
}

export interface RequestLimitsOptions {
  readonly limits: LimitSettings;
  /** In shadow mode what comes too often is only noted. */
  readonly isShadow: boolean;
  readonly log: GatewayLog;
}

/** Step 2 of the pipeline: what is too large or too much is refused before anything is decided or planned. */
export class RequestLimits {
  readonly limiter: OperationLimiter;
  /** They outlive a policy: they count for the present one and for those that it replaced. */
  readonly counters: RateCounters;
  readonly #options: RequestLimitsOptions;

  constructor(options: RequestLimitsOptions) {
    this.#options = options;
    this.limiter = new OperationLimiter(options.limits);
    this.counters = makeRateCounters(options.limits.store, options.log);
  }

  /** Counts one request against its client's rate class. @throws {RefusedError} 429 `RATE_LIMITED` */
  async countRequest(caller: Authenticated): Promise<void> {
    const { rules, token } = caller;
    if (token !== undefined) await this.#noteInShadow(caller, async () => rules.rateLimit?.count(token));
  }

  /**
   * Measures an operation, and counts what it weighs against its client's rate class. Its size is limited in shadow mode, too:
   * no client has an answer from a gateway that was exhausted.
   *
   * @throws {RefusedError} 400 `OPERATION_LIMIT_EXCEEDED`, 429 `RATE_LIMITED`.
   */
  async measure(
    caller: Authenticated,
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

  async #noteInShadow({ exchange }: Authenticated, count: () => Promise<void>): Promise<void> {
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
