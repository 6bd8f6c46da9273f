import { randomUUID } from 'node:crypto';
import { every } from '@behalf/directives/internal';
import type { AuditEvent, AuditSink } from '@behalf/audit';
import type { Clock } from '@behalf/directives';

const EVERY_MS = 5_000;

export interface SelfReportParts {
  readonly sink: AuditSink;
  /** Records lost since the start. */
  readonly lost: () => number;
  /** Whether data leaves without its record, so that a lost one is missing. */
  readonly mayLose: () => boolean;
  readonly clock: Clock;
}

/**
 * What the gateway has to tell about the log in the log itself: how many records it lost, and when records were not required. It is
 * told as soon as the log can be written again.
 */
export class SelfReport {
  readonly #parts: SelfReportParts;
  readonly #endTimer: () => void;
  readonly #waiting: AuditEvent[] = [];
  #told = 0;
  #telling: Promise<void> | undefined;

  constructor(parts: SelfReportParts) {
    this.#parts = parts;
    this.#endTimer = every(parts.clock, EVERY_MS, () => void this.tell());
  }

  /** Tells it now, or as soon as possible. */
  note(event: AuditEvent['event'], more: Pick<AuditEvent, 'operator' | 'reason' | 'details'>): void {
    this.#waiting.push(this.#event(event, more));
    void this.tell();
  }

  /** Never rejects: what cannot be told now is told later. */
  async tell(): Promise<void> {
    this.#telling ??= this.#tellAll()
      .catch(() => undefined)
      .finally(() => (this.#telling = undefined));
    return this.#telling;
  }

  async close(): Promise<void> {
    this.#endTimer();
    await this.tell();
  }

  async #tellAll(): Promise<void> {
    const { sink, lost, mayLose } = this.#parts;
    if (this.#waiting.length === 0 && lost() === this.#told) return;
    // An attempt that fails would count as another lost record.
    await sink.check?.();
    for (let [event] = this.#waiting; event !== undefined; [event] = this.#waiting) {
      await sink.append(event);
      this.#waiting.shift();
    }
    const count = lost() - this.#told;
    if (count === 0) return;
    // A request whose record was required got no data, so nothing is missing.
    if (mayLose()) await sink.append(this.#event('records-lost', { details: { count } }));
    this.#told += count;
  }

  #event(event: AuditEvent['event'], more: object): AuditEvent {
    return { transactionId: randomUUID(), time: this.#parts.clock.now(), event, caller: {}, ...more };
  }
}
