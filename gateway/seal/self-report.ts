import { randomUUID } from 'node:crypto';
import { every } from '@behalf/directives/internal';
import { AuditError } from '@behalf/audit';
import type { AuditEvent, AuditSink } from '@behalf/audit';
import type { Clock } from '@behalf/directives';

const EVERY_MS = 5_000;
/** How many records can wait. What comes later is counted as lost. */
const MAX_WAITING = 200;

/** Appends one record. */
type Append = () => Promise<unknown>;

export interface SelfReportParts {
  readonly sink: AuditSink;
  /** Records lost since the start. */
  readonly lost: () => number;
  /** Whether data leaves without its record, so that a lost one is missing. */
  readonly mayLose: () => boolean;
  readonly clock: Clock;
}

/**
 * What has to be in the log even if that cannot be written now: how many records the gateway lost, when records were not required,
 * and what became of mutations that ran. It is written as soon as possible.
 */
export class SelfReport {
  readonly #parts: SelfReportParts;
  readonly #endTimer: () => void;
  readonly #waiting: Append[] = [];
  #told = 0;
  /** Records that were needed, and could not wait or were refused. */
  #missing = 0;
  #telling: Promise<void> | undefined;

  constructor(parts: SelfReportParts) {
    this.#parts = parts;
    this.#endTimer = every(parts.clock, EVERY_MS, () => void this.tell());
  }

  /** Tells it now, or as soon as possible. */
  note(event: AuditEvent['event'], more: Pick<AuditEvent, 'operator' | 'reason' | 'details'>): void {
    const made = this.#event(event, more);
    this.keep(() => this.#parts.sink.append(made));
    void this.tell();
  }

  /** Appends it when the log can be written again. */
  keep(append: Append): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(append);
    else this.#missing += 1;
  }

  /** How many records wait. */
  get waiting(): number {
    return this.#waiting.length;
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
    if (this.#waiting.length === 0 && this.#missing === 0 && lost() === this.#told) return;
    // An attempt that fails would count as another lost record.
    await sink.check?.();
    for (let [append] = this.#waiting; append !== undefined; [append] = this.#waiting) {
      await append().catch((error: unknown) => this.#giveUpRefused(error));
      this.#waiting.shift();
    }
    const lostSince = lost() - this.#told;
    const missing = this.#missing;
    // A request whose record was required got no data, so nothing is missing.
    const count = (mayLose() ? lostSince : 0) + missing;
    if (count > 0) await sink.append(this.#event('records-lost', { details: { count } }));
    this.#told += lostSince;
    this.#missing -= missing;
  }

  /** Trying again is useless. @throws any other error */
  #giveUpRefused(error: unknown): void {
    if (!(error instanceof AuditError) || error.code !== 'AUDIT_RECORD_REFUSED') throw error;
    this.#missing += 1;
  }

  #event(event: AuditEvent['event'], more: object): AuditEvent {
    return { transactionId: randomUUID(), time: this.#parts.clock.now(), event, caller: {}, ...more };
  }
}
