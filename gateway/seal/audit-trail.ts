import type { Clock } from '@behalf/directives';
import { FileAuditSink } from '@behalf/audit';
import type { AuditRecord, AuditSink } from '@behalf/audit';
import { importOptional } from '../import-optional.js';
import { ConfigurationError } from '../errors.js';
import type { GatewayLog } from '../log.js';
import { systemCode } from '../system-code.js';
import type { AuditDestination, AuditMode, AuditSettings } from './audit-options.js';
import { SelfReport } from './self-report.js';

/** An open audit log. */
export interface OpenAudit {
  readonly mode: AuditMode;
  readonly sink: AuditSink;
  readonly pseudonymKey: Uint8Array;
}

/** The gateway's audit log, from start to end. It closes what it opened itself. */
export class AuditTrail {
  readonly #settings: AuditSettings;
  readonly #clock: Clock;
  readonly #log: GatewayLog;
  #sink: AuditSink | undefined;
  #report: SelfReport | undefined;
  #endBreakGlass: (() => void) | undefined;
  /** Records that never reached the sink. */
  #unnamed = 0;

  constructor(settings: AuditSettings, clock: Clock, log: GatewayLog) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    // A given sink accepts records at once, even from a gateway that never starts.
    if (settings.mode !== 'off' && 'sink' in settings.destination) this.#sink = settings.destination.sink;
  }

  /** As it holds now: `best-effort` instead of `required` while records are not required. */
  get mode(): AuditMode | 'off' {
    return this.isGlassBroken ? 'best-effort' : this.#settings.mode;
  }

  /** Whether somebody decided that records are not required for now. */
  get isGlassBroken(): boolean {
    if (this.#settings.mode === 'off') return false;
    return this.#clock.now() < (this.#settings.breakGlass?.untilMs ?? -Infinity);
  }

  /** Records that could not be stored since the start. */
  get lost(): number {
    return (this.#sink?.lost ?? 0) + this.#unnamed;
  }

  /** Counts a record that could not be written, because the pseudonyms of its subjects could not be had. */
  countLost(): void {
    this.#unnamed += 1;
  }

  /** Appends a record that is needed when the log can be written again. @param record undefined if it cannot be had */
  keep(record: AuditRecord | undefined): void {
    if (this.#report === undefined) this.countLost();
    else if (record === undefined) this.#report.miss();
    else this.#report.keep(record);
  }

  /** The open log; undefined if it is off. @throws if it was not started */
  get open(): OpenAudit | undefined {
    const { mode } = this;
    if (this.#settings.mode === 'off' || mode === 'off') return undefined;
    if (this.#sink === undefined) throw new Error('the audit log is not open');
    return { mode, sink: this.#sink, pseudonymKey: this.#settings.pseudonymKey };
  }

  /** @throws {ConfigurationError} for a file that cannot be opened */
  async start(): Promise<void> {
    if (this.#settings.mode === 'off') return;
    this.#sink ??= await openSink(this.#settings.destination, this.#clock);
    this.#report = new SelfReport({
      sink: this.#sink,
      lost: () => this.lost,
      mayLose: () => this.mode === 'best-effort',
      clock: this.#clock,
    });
    this.#tellBreakGlass(this.#report);
  }

  /** Tells the log, and the audit log, when records are not required and when they are again. */
  #tellBreakGlass(report: SelfReport): void {
    if (this.#settings.mode === 'off' || this.#settings.breakGlass === undefined) return;
    const { by, reason, untilMs } = this.#settings.breakGlass;
    const remainingMs = untilMs - this.#clock.now();
    if (remainingMs <= 0) return;
    const until = new Date(untilMs).toISOString();
    this.#log.log('warn', 'AUDIT_GLASS_BROKEN', { until, by, reason });
    report.note('break-glass-begun', { operator: by, reason, details: { until: untilMs } });
    this.#endBreakGlass = this.#clock.after(remainingMs, () => {
      this.#log.log('info', 'AUDIT_REQUIRED_AGAIN', {});
      report.note('break-glass-ended', { operator: by, reason });
    });
  }

  /** @throws if records could not be stored now, as far as the sink can tell */
  async check(): Promise<void> {
    await this.open?.sink.check?.();
  }

  async close(): Promise<void> {
    this.#endBreakGlass?.();
    await this.#report?.close();
    const untold = this.#report?.untold ?? 0;
    if (untold > 0) this.#log.log('error', 'AUDIT_RECORD_LOST', { lost: untold, reason: 'CLOSED' });
    if (this.#settings.mode === 'off' || 'sink' in this.#settings.destination) return;
    await this.#sink?.close();
  }
}

/** @throws {ConfigurationError} */
async function openSink(destination: AuditDestination, clock: Clock): Promise<AuditSink> {
  if ('sink' in destination) return destination.sink;
  if ('database' in destination) {
    const { PostgresAuditSink } = await importOptional(
      'audit.database',
      'pg kysely @behalf/store',
      async () => import('@behalf/audit/postgres'),
    );
    return new PostgresAuditSink({ databaseUrl: destination.database, clock });
  }
  const { file } = destination;
  try {
    return await FileAuditSink.open(file);
  } catch (error) {
    const code = systemCode(error, 'unknown');
    throw new ConfigurationError('audit.file', `${file} cannot be opened (${code})`);
  }
}
