import type { Clock, TxnTokenRefusal } from '@behalf/directives';
import type { GatewayLog } from '../log.js';
import { RepeatedLines } from '../repeated-lines.js';

/** The metrics that it adds to. */
interface RefusedTokenMetrics {
  countRefusedToken(subgraph: string, reason: TxnTokenRefusal): void;
}

/**
 * Counts the transaction tokens that subgraphs refuse, and logs each subgraph and reason once a minute. Such a subgraph is
 * protected, but its configuration does not fit this gateway, so that it takes everybody for anonymous.
 */
export class RefusedTokens {
  readonly #metrics: RefusedTokenMetrics;
  readonly #log: GatewayLog;
  readonly #lines: RepeatedLines;

  constructor(metrics: RefusedTokenMetrics, log: GatewayLog, clock: Pick<Clock, 'monotonic'>) {
    this.#metrics = metrics;
    this.#log = log;
    this.#lines = new RepeatedLines(clock);
  }

  report(subgraph: string, reason: TxnTokenRefusal): void {
    this.#metrics.countRefusedToken(subgraph, reason);
    const count = this.#lines.due(`${subgraph} ${reason}`);
    if (count !== undefined) this.#log.log('error', 'TXN_TOKEN_REFUSED', { subgraph, reason, count });
  }
}
