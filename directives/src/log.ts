import type { subgraphLogCodes } from './errors.js';

export type SubgraphLogCode = keyof typeof subgraphLogCodes;

/** A coordinate and a number: never a value, a subject, an argument or a variable. */
export interface SubgraphLogFacts {
  readonly subgraph: string;
  /** Schema coordinate that it happened at: a field, or an entity's type for references. */
  readonly coordinate: string;
  /** How often, since the line before about the same. */
  readonly count: number;
}

/** Hears what a team should know of its subgraph, at most once a minute for each code and coordinate. */
export type SubgraphLog = (code: SubgraphLogCode, facts: SubgraphLogFacts) => void;

/** One JSON object per line, as the gateway logs. */
export const stderrLog: SubgraphLog = (code, facts) => {
  const line = { time: new Date().toISOString(), level: 'warn', code, ...facts };
  process.stderr.write(`${JSON.stringify(line)}\n`);
};

const QUIET_MS = 60_000;

/**
 * Counts what happens, row by row, and says so once a minute. It holds one entry per code and coordinate of the schema,
 * whatever callers do.
 */
export class OccasionalLog {
  private readonly entries = new Map<string, { quietUntilMs: number; count: number }>();

  constructor(
    private readonly subgraph: string,
    private readonly log: SubgraphLog,
    private readonly nowMs: () => number,
  ) {}

  report(code: SubgraphLogCode, coordinate: string, count = 1): void {
    const key = `${code} ${coordinate}`;
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = { quietUntilMs: -Infinity, count: 0 };
      this.entries.set(key, entry);
    }
    entry.count += count;
    const nowMs = this.nowMs();
    if (nowMs < entry.quietUntilMs) return;
    const facts = { subgraph: this.subgraph, coordinate, count: entry.count };
    entry.quietUntilMs = nowMs + QUIET_MS;
    entry.count = 0;
    try {
      this.log(code, facts);
    } catch {
      // A log that fails must not change what callers get: for them a foreign row is a missing one.
    }
  }
}
