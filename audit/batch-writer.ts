import { systemClock } from '@behalf/directives/internal';
import type { Clock } from '@behalf/directives';
import { AuditError } from './errors.js';

export interface BatchWriterOptions<Item, Result> {
  /** Makes all items durable, or none. Its result is that of each item. */
  readonly write: (items: readonly Item[]) => Promise<Result>;
  /** Whether a write failed because of the content of an item, so that trying it again is useless. Default: never. */
  readonly isFaultOfItem?: (error: unknown) => boolean;
  /** Whether trying again is useless for all items. Default: never. */
  readonly isFinal?: (error: unknown) => boolean;
  /** The largest number of waiting items. Default: 10,000. */
  readonly maxQueue?: number | undefined;
  /** The largest number of items in one write. Default: 500. */
  readonly maxBatch?: number;
  /** The size of an item. Default: 0. */
  readonly bytesOf?: (item: Item) => number;
  /** The largest total size of waiting items. Default: 64 MiB. */
  readonly maxQueueBytes?: number;
  /** The largest total size of one write; a single item is written whatever its size. Default: 4 MiB. */
  readonly maxBatchBytes?: number;
  /** How long an item is retried while writes fail, in milliseconds. 0: never retried. Default: 5,000. */
  readonly maxWaitMs?: number | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: AuditError) => void;
}

const MIB = 1024 * 1024;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/**
 * Group commit: items that arrive during a write are written together by the next one. Waiting for durability thus costs a
 * request at most one extra write, and a busy log needs few writes. The order is kept.
 *
 * Delivery is at least once: a write whose answer was lost is repeated.
 */
export class BatchWriter<Item, Result = void> {
  readonly #options: BatchWriterOptions<Item, Result>;
  readonly #clock: Clock;
  #queue: Waiting<Item, Result>[] = [];
  /** The size of the items in the queue and in the current write. */
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  readonly #closing = new AbortController();
  #lostCount = 0;

  constructor(options: BatchWriterOptions<Item, Result>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** How many items could not be made durable. */
  get lost(): number {
    return this.#lostCount;
  }

  /**
   * Resolves when the item is durable.
   *
   * Rejects with an {@link AuditError}: immediately if the queue is full, so that memory stays bounded; or after `maxWaitMs` plus
   * the current write, so that nobody waits forever.
   */
  append(item: Item): Promise<Result> {
    if (this.#closing.signal.aborted) return this.#refuse('AUDIT_CLOSED');
    if (this.#queue.length >= (this.#options.maxQueue ?? 10_000)) return this.#refuse('AUDIT_QUEUE_FULL');
    const bytes = this.#options.bytesOf?.(item) ?? 0;
    if (this.#waitingBytes + bytes > (this.#options.maxQueueBytes ?? 64 * MIB)) {
      return this.#refuse('AUDIT_QUEUE_FULL');
    }
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, bytes, sinceMs: this.#clock.monotonic(), resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  /** Refuses new items and writes the waiting ones, without retrying failures. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
  }

  #refuse(code: 'AUDIT_CLOSED' | 'AUDIT_QUEUE_FULL'): Promise<never> {
    this.#lostCount += 1;
    return Promise.reject(new AuditError(code));
  }

  async #drain(): Promise<void> {
    // Lets items of the same turn join the first batch.
    await Promise.resolve();
    let pauseMs = FIRST_PAUSE_MS;
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#nextBatchLength());
      const { failure, unwritten } = await this.#write(batch);
      if (failure === undefined) {
        pauseMs = FIRST_PAUSE_MS;
        continue;
      }
      if (this.#options.maxWaitMs === 0 || this.#options.isFinal?.(failure) === true) {
        this.#lose(unwritten, asAuditError(failure));
        continue;
      }
      this.#queue = [...unwritten, ...this.#queue];
      this.#giveUpOld(failure);
      if (this.#queue.length === 0) break;
      await this.#clock.sleep(pauseMs, this.#closing.signal);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
    this.#writing = undefined;
  }

  #nextBatchLength(): number {
    const { maxBatch = 500, maxBatchBytes = 4 * MIB } = this.#options;
    let length = 0;
    let bytes = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.bytes;
      if (length === maxBatch || (length > 0 && bytes > maxBatchBytes)) break;
      length += 1;
    }
    return length;
  }

  /** Writes a batch. An item that cannot be written is isolated by halving, so that the others are still written. */
  async #write(
    batch: readonly Waiting<Item, Result>[],
  ): Promise<{ readonly failure: unknown; readonly unwritten: readonly Waiting<Item, Result>[] }> {
    let failure: unknown;
    try {
      const result = await this.#options.write(batch.map(({ item }) => item));
      this.#settle(batch, ({ resolve }) => resolve(result));
      return { failure: undefined, unwritten: [] };
    } catch (error) {
      failure = error;
    }
    if (this.#options.isFaultOfItem?.(failure) !== true) return { failure, unwritten: batch };
    if (batch.length === 1) {
      this.#lose(batch, new AuditError('AUDIT_RECORD_REFUSED', { cause: failure }));
      return { failure: undefined, unwritten: [] };
    }
    const middle = Math.ceil(batch.length / 2);
    const first = await this.#write(batch.slice(0, middle));
    // To keep the order, the second half waits for the first.
    if (first.failure !== undefined) {
      return { failure: first.failure, unwritten: [...first.unwritten, ...batch.slice(middle)] };
    }
    return this.#write(batch.slice(middle));
  }

  #giveUpOld(cause: unknown): void {
    const leastMs = this.#clock.monotonic() - (this.#options.maxWaitMs ?? 5_000);
    const isOver = ({ sinceMs }: Waiting<Item, Result>): boolean =>
      this.#closing.signal.aborted || sinceMs <= leastMs;
    const over = this.#queue.filter(isOver);
    this.#queue = this.#queue.filter((waiting) => !isOver(waiting));
    this.#lose(over, new AuditError('AUDIT_WRITE_FAILED', { cause }));
  }

  #lose(items: readonly Waiting<Item, Result>[], error: AuditError): void {
    this.#lostCount += items.length;
    this.#settle(items, ({ reject }) => reject(error));
  }

  #settle(items: readonly Waiting<Item, Result>[], tell: (waiting: Waiting<Item, Result>) => void): void {
    for (const waiting of items) {
      this.#waitingBytes -= waiting.bytes;
      tell(waiting);
    }
  }
}

function asAuditError(failure: unknown): AuditError {
  return failure instanceof AuditError ? failure : new AuditError('AUDIT_WRITE_FAILED', { cause: failure });
}
