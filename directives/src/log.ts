import type { Clock } from './clock.js';
import type { TxnTokenRefusal } from './claims/txn-token-refusals.js';
import type { subgraphLogCodes } from './errors.js';

/** Every code that a {@link SubgraphLog} receives. The codes are stable. */
export type SubgraphLogCode = keyof typeof subgraphLogCodes;

/** A coordinate or a reason, and a count: never a value, a subject, an argument, a variable or a token. */
export interface SubgraphLogFacts {
  readonly subgraph: string;
  /** Schema coordinate: a field, or an entity's type for references. */
  readonly coordinate?: string;
  /** Why a transaction token was refused. */
  readonly reason?: TxnTokenRefusal;
  /** How often it happened since the previous line about the same coordinate or reason. */
  readonly count: number;
}

/** Receives what a team should know about its subgraph, at most once a minute per code and coordinate, or reason. */
export type SubgraphLog = (code: SubgraphLogCode, facts: SubgraphLogFacts) => void;

/** One JSON object per line, as the gateway logs. */
export function stderrLog(clock: Clock): SubgraphLog {
  return (code, facts) => {
    const line = { time: new Date(clock.now()).toISOString(), level: 'warn', code, ...facts };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  };
}

const QUIET_MS = 60_000;

/**
 * Counts events, row by row, and logs each kind once a minute. It holds one entry per code and coordinate of the schema,
 * or reason, whatever callers do.
 */
export class OccasionalLog {
  readonly #entries = new Map<string, { quietUntilMs: number; count: number }>();

  readonly #subgraph: string;
  readonly #log: SubgraphLog;
  readonly #clock: Clock;

  constructor(subgraph: string, log: SubgraphLog, clock: Clock) {
    this.#subgraph = subgraph;
    this.#log = log;
    this.#clock = clock;
  }

  /** Reports what happened at a coordinate of the schema. */
  report(code: SubgraphLogCode, coordinate: string, count = 1): void {
    this.#count(code, { coordinate }, count);
  }

  reportRefusedToken(reason: TxnTokenRefusal): void {
    this.#count('TXN_TOKEN_REFUSED', { reason }, 1);
  }

  #count(code: SubgraphLogCode, where: Pick<SubgraphLogFacts, 'coordinate' | 'reason'>, count: number): void {
    const key = `${code} ${where.coordinate ?? where.reason ?? ''}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { quietUntilMs: -Infinity, count: 0 };
      this.#entries.set(key, entry);
    }
    entry.count += count;
    const nowMs = this.#clock.now();
    if (nowMs < entry.quietUntilMs) return;
    const facts = { subgraph: this.#subgraph, ...where, count: entry.count };
    entry.quietUntilMs = nowMs + QUIET_MS;
    entry.count = 0;
    try {
      this.#log(code, facts);
    } catch {
      // A failing log must not change what callers get: a foreign row still looks missing.
    }
  }
}
