import type { TxnTokenRefusal } from '@behalf/directives';
import type { GatewayLog } from '../log.js';

/** Between two lines about the same subgraph and reason. */
const QUIET_MS = 60_000;
/** More subgraphs and reasons than any federation has: names come from supergraphs, of which there may be many over time. */
const MAX_ENTRIES = 10_000;

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
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, { quietUntilMs: number; count: number }>();

  constructor(metrics: RefusedTokenMetrics, log: GatewayLog, nowMs: () => number = () => performance.now()) {
    this.#metrics = metrics;
    this.#log = log;
    this.#nowMs = nowMs;
  }

  report(subgraph: string, reason: TxnTokenRefusal): void {
    this.#metrics.countRefusedToken(subgraph, reason);
    const entry = this.#entryOf(`${subgraph} ${reason}`);
    if (entry === undefined) return;
    entry.count += 1;
    const nowMs = this.#nowMs();
    if (nowMs < entry.quietUntilMs) return;
    this.#log.log('error', 'TXN_TOKEN_REFUSED', { subgraph, reason, count: entry.count });
    entry.quietUntilMs = nowMs + QUIET_MS;
    entry.count = 0;
  }

  #entryOf(key: string): { quietUntilMs: number; count: number } | undefined {
    const known = this.#entries.get(key);
    if (known !== undefined || this.#entries.size >= MAX_ENTRIES) return known;
    const entry = { quietUntilMs: Number.NEGATIVE_INFINITY, count: 0 };
    this.#entries.set(key, entry);
    return entry;
  }
}
