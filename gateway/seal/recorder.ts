import type { Clock } from '@behalf/directives';
import { withoutUndefined } from '@behalf/directives/internal';
import type { AuditOutcome, AuditRecord } from '@behalf/audit';
import { RefusedError } from '../errors.js';
import type { GatewayLog } from '../log.js';
import { RepeatedLines } from '../repeated-lines.js';
import type { GatewayMetrics } from './metrics.js';
import type { TxnTokenExchangeOutcome } from '../propagate/txn-token-exchange.js';
import type { Exchange } from '../request/exchange.js';
import type { Stage } from '../stages/stages.js';
import { storeReason } from '../system-code.js';
import type { AuditTrail } from './audit-trail.js';
import { pseudonymsOf } from './pseudonyms.js';
import {
  intentRecord,
  requestRecord,
  subjectsOf,
  subjectsOfExchange,
  tokenExchangeRecord,
} from './record.js';
import type { RecordNames } from './record.js';
import { describeRequestSpan } from './request-span.js';

export interface RecorderParts {
  readonly audit: AuditTrail;
  readonly metrics: GatewayMetrics;
  /** Who answers for the data of each subgraph. */
  readonly owners: ReadonlyMap<string, string>;
  readonly log: GatewayLog;
  readonly clock: Clock;
}

/** Everything that records a request's outcome: the audit record, the metrics, the log. */
export class Recorder {
  readonly #parts: RecorderParts;
  readonly #sealed = new WeakSet<Exchange>();
  readonly #receipts = new WeakMap<Exchange, string>();
  /** Mutations whose intent is durable, so that their outcome has to be. */
  readonly #intended = new WeakSet<Exchange>();
  /** Every request is refused for the same reason. */
  readonly #unavailable: RepeatedLines;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#unavailable = new RepeatedLines(parts.clock);
  }

  /** Whether the record of this operation was passed to the audit log, durable or not. */
  hasSealed(exchange: Exchange): boolean {
    return this.#sealed.has(exchange);
  }

  /** The receipt with which to prove that the record of this operation is in the log. Undefined unless it is known to be durable. */
  receiptOf(exchange: Exchange): string | undefined {
    return this.#receipts.get(exchange);
  }

  /**
   * Records one operation up to its last stage. The record comes first, so that counting or logging cannot prevent it.
   *
   * @throws {RefusedError} in audit mode `required`, if the record cannot be made durable: 503 `AUDIT_UNAVAILABLE`, or 500
   *   `OUTCOME_NOT_RECORDED` for a mutation that may have run. The record of that is appended when the log can be written again.
   */
  async seal(stage: Stage, outcome: AuditOutcome, reason: string | undefined): Promise<void> {
    this.#sealed.add(stage.exchange);
    const make = (names: RecordNames): AuditRecord => requestRecord(stage, outcome, reason, names);
    const durable = this.#append(subjectsOf(stage), make, this.#intended.has(stage.exchange));
    this.#count(stage, outcome, reason);
    describeRequestSpan(stage, outcome, reason);
    this.#log(stage, outcome, reason);
    const receipt = await durable;
    if (receipt !== undefined) this.#receipts.set(stage.exchange, receipt);
  }

  /** Records a mutation before it runs, in audit mode `required`. @throws {RefusedError} as {@link seal} */
  async intend(stage: Stage, mutates: readonly string[]): Promise<void> {
    if (this.#parts.audit.mode !== 'required') return;
    await this.#append(subjectsOf(stage), (names) => intentRecord(stage, mutates, names));
    this.#intended.add(stage.exchange);
  }

  /** Records a workload's token exchange. @throws {RefusedError} as {@link seal} */
  async recordTokenExchange(outcome: TxnTokenExchangeOutcome): Promise<void> {
    if (outcome.token === undefined) {
      const { reason, workload } = outcome;
      const facts = workload === undefined ? { reason } : { reason, workload };
      this.#parts.log.log('warn', 'TXN_TOKEN_NOT_EXCHANGED', facts);
    }
    const time = this.#parts.clock.now();
    await this.#append(subjectsOfExchange(outcome), (names) => tokenExchangeRecord(outcome, names, time));
  }

  /**
   * @param isOutcome of a mutation whose intent is recorded
   * @returns the receipt, in audit mode `required`
   */
  async #append(
    subjects: readonly string[],
    make: (names: RecordNames) => AuditRecord,
    isOutcome = false,
  ): Promise<string | undefined> {
    const { audit: trail, log, owners } = this.#parts;
    const audit = trail.open;
    if (audit === undefined) return undefined;
    // A custom sink may throw before it returns a promise.
    const made = (async (): Promise<AuditRecord> =>
      make({ key: audit.pseudonymKey, pseudonyms: await pseudonymsOf(subjects, audit), owners }))();
    made.catch(() => trail.countLost());
    const durable = made.then((record) => audit.sink.append(record));
    if (audit.mode === 'best-effort') {
      durable.catch((error: unknown) =>
        log.log('error', 'AUDIT_RECORD_LOST', { lost: trail.lost, reason: storeReason(error) }),
      );
      return undefined;
    }
    try {
      return await durable;
    } catch (error) {
      const reason = storeReason(error);
      const count = this.#unavailable.due(reason);
      if (count !== undefined) log.log('error', 'AUDIT_UNAVAILABLE', { reason, count });
      if (!isOutcome) throw unavailable();
      trail.keep(await made.catch(() => undefined));
      throw outcomeNotRecorded();
    }
  }

  #count(stage: Stage, outcome: AuditOutcome, reason: string | undefined): void {
    const { metrics, log } = this.#parts;
    try {
      metrics.count(stage, outcome, reason);
    } catch {
      log.log('error', 'METRICS_FAILED', { transaction: stage.exchange.transactionId });
    }
  }

  #log({ exchange, propagation, cause }: Stage, outcome: AuditOutcome, reason: string | undefined): void {
    const { log } = this.#parts;
    const transaction = exchange.transactionId;
    for (const [subgraph, entries] of propagation?.accounts.disbelieved ?? [])
      log.log('error', 'SUBGRAPH_FACTS_MALFORMED', { subgraph, entries, transaction });
    // The error behind an operation that failed was logged where it was caught.
    if (outcome !== 'authentication-failed') return;
    log.log('warn', 'AUTHENTICATION_FAILED', withoutUndefined({ transaction, reason, cause }));
  }
}

function unavailable(): RefusedError {
  return new RefusedError({
    code: 'AUDIT_UNAVAILABLE',
    message: 'The access cannot be recorded at the moment, so it is not given',
    status: 503,
    headers: new Map([['retry-after', '5']]),
  });
}

/** Not 503: clients repeat what was answered with that, and the mutation would run twice. */
function outcomeNotRecorded(): RefusedError {
  return new RefusedError({
    code: 'OUTCOME_NOT_RECORDED',
    message: 'The mutation may have run. Its outcome cannot be recorded at the moment, so it is not given',
    status: 500,
  });
}
