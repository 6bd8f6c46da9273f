import type { Clock } from '@behalf/directives';
import { FileAuditSink } from '@behalf/audit';
import type { AuditSink } from '@behalf/audit';
import { importOptional } from '../import-optional.js';
import { ConfigurationError } from '../errors.js';
import { systemCode } from '../system-code.js';
import type { AuditDestination, AuditMode, AuditSettings } from './audit-options.js';

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
  #sink: AuditSink | undefined;

  constructor(settings: AuditSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    // A given sink accepts records at once, even from a gateway that never starts.
    if (settings.mode !== 'off' && 'sink' in settings.destination) this.#sink = settings.destination.sink;
  }

  get mode(): AuditMode | 'off' {
    return this.#settings.mode;
  }

  /** Records that could not be stored since the start. */
  get lost(): number {
    return this.#sink?.lost ?? 0;
  }

  /** The open log; undefined if it is off. @throws if it was not started */
  get open(): OpenAudit | undefined {
    if (this.#settings.mode === 'off') return undefined;
    const { mode, pseudonymKey } = this.#settings;
    if (this.#sink === undefined) throw new Error('the audit log is not open');
    return { mode, sink: this.#sink, pseudonymKey };
  }

  /** @throws {ConfigurationError} for a file that cannot be opened */
  async start(): Promise<void> {
    if (this.#settings.mode === 'off') return;
    this.#sink ??= await openSink(this.#settings.destination, this.#clock);
  }

  /** @throws if records could not be stored now, as far as the sink can tell */
  async check(): Promise<void> {
    await this.open?.sink.check?.();
  }

  async close(): Promise<void> {
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
