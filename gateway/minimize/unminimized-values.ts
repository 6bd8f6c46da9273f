import type { Clock } from '@behalf/directives';
import type { GatewayLog } from '../log.js';
import { RepeatedLines } from '../repeated-lines.js';

/** Logs which values of subgraphs the gateway could not minimize, each field once a minute. */
export class UnminimizedValues {
  readonly #log: GatewayLog;
  readonly #lines: RepeatedLines;

  constructor(log: GatewayLog, clock: Pick<Clock, 'monotonic'>) {
    this.#log = log;
    this.#lines = new RepeatedLines(clock);
  }

  /** @param at the coordinate of the field; of an object of unknown type, the type of its position */
  report(subgraph: string, at: string): void {
    const count = this.#lines.due(JSON.stringify([subgraph, at]));
    if (count !== undefined) this.#log.log('warn', 'SUBGRAPH_VALUE_NOT_MINIMIZED', { subgraph, at, count });
  }
}
