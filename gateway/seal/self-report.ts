import { randomUUID } from 'node:crypto';
import { every } from '@behalf/directives/internal';
import { AuditError } from '@behalf/audit';
import type { AuditEntry, AuditEvent, AuditSink } from '@behalf/audit';
import type { Clock } from '@behalf/directives';

const EVERY_MS = 5_000;
/** How many records can wait, and how many bytes of JSON. What comes later is counted as missing. */
const MAX_WAITING = 200;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

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
  readonly #waiting: { readonly entry: AuditEntry; readonly bytes: number }[] = [];
  #waitingBytes = 0;
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
    this.keep(this.#event(event, more));
    void this.tell();
  }

  /** Appends a record when the log can be written again. */
  keep(entry: AuditEntry): void {
    const bytes = Buffer.byteLength(JSON.stringify(entry));
    if (this.#waiting.length >= MAX_WAITING || this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.miss();
      return;
    }
    this.#waiting.push({ entry, bytes });
    this.#waitingBytes += bytes;
  }

  /** Counts a record that was needed, and cannot be had. */
  miss(): void {
    this.#missing += 1;
  }

  /** How many records the log does not have, and does not say that it lost. */
  get untold(): number {
    return this.#waiting.length + this.#missing;
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
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      await sink.append(first.entry).catch((error: unknown) => this.#giveUpRefused(error));
      this.#waiting.shift();
      this.#waitingBytes -= first.bytes;
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
    this.miss();
  }

  #event(event: AuditEvent['event'], more: object): AuditEvent {
    return { transactionId: randomUUID(), time: this.#parts.clock.now(), event, caller: {}, ...more };
  }
}
