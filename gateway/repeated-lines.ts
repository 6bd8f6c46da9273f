import type { Clock } from '@behalf/directives';

const QUIET_MS = 60_000;
/** More than any federation has: keys contain names from supergraphs, of which there may be many over time. */
const MAX_ENTRIES = 10_000;

/** Decides which repetitions of a log line are written: one per key in a minute. */
export class RepeatedLines {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #entries = new Map<string, { quietUntilMs: number; count: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Counts one event. @returns the number since the last line of this key if one is due, otherwise undefined */
  due(key: string): number | undefined {
    const entry = this.#entryOf(key);
    if (entry === undefined) return undefined;
    entry.count += 1;
    const nowMs = this.#clock.monotonic();
    if (nowMs < entry.quietUntilMs) return undefined;
    const { count } = entry;
    entry.quietUntilMs = nowMs + QUIET_MS;
    entry.count = 0;
    return count;
  }

  #entryOf(key: string): { quietUntilMs: number; count: number } | undefined {
    const known = this.#entries.get(key);
    if (known !== undefined || this.#entries.size >= MAX_ENTRIES) return known;
    const entry = { quietUntilMs: Number.NEGATIVE_INFINITY, count: 0 };
    this.#entries.set(key, entry);
    return entry;
  }
}
