import { setTimeout as sleep } from 'node:timers/promises';
import { AuditError } from './errors.js';

export interface BatchWriterOptions<Item> {
  /** Makes the items durable, all or none. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Items that may wait. Default 10,000. */
  readonly maxQueue?: number;
  /** Items in one write. Default 500. */
  readonly maxBatch?: number;
  /** How often a failed write is tried again, with a growing pause. Default 3. */
  readonly retries?: number;
}

interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (error: AuditError) => void;
}

const FIRST_PAUSE_MS = 100;

/**
 * Group commit: what arrives while a write is under way goes out together with the next one, so that waiting for durability
 * costs a request one write at most and a busy log few of them. Keeps the order.
 */
export class BatchWriter<Item> {
  private queue: Waiting<Item>[] = [];
  private writing: Promise<void> | undefined;
  private closed = false;
  private lostCount = 0;

  constructor(private readonly options: BatchWriterOptions<Item>) {}

  /** How many items could not be made durable. */
  get lost(): number {
    return this.lostCount;
  }

  /**
   * Settles when the item is durable.
   *
   * Rejects with an {@link AuditError}: at once when the queue is full, so that memory stays bounded.
   */
  append(item: Item): Promise<void> {
    if (this.closed) return this.lose('AUDIT_CLOSED');
    if (this.queue.length >= (this.options.maxQueue ?? 10_000)) return this.lose('AUDIT_QUEUE_FULL');
    return new Promise((resolve, reject) => {
      this.queue.push({ item, resolve, reject });
      this.writing ??= this.drain();
    });
  }

  /** Writes what waits, then refuses more. */
  async close(): Promise<void> {
    this.closed = true;
    await this.writing;
  }

  private lose(code: 'AUDIT_CLOSED' | 'AUDIT_QUEUE_FULL'): Promise<never> {
    this.lostCount += 1;
    return Promise.reject(new AuditError(code));
  }

  private async drain(): Promise<void> {
    // Lets what arrives in the same turn join the first batch.
    await Promise.resolve();
    while (this.queue.length > 0) {
      const batch = this.queue.splice(0, this.options.maxBatch ?? 500);
      const failure = await this.tryToWrite(batch.map(({ item }) => item));
      if (failure === undefined) for (const { resolve } of batch) resolve();
      else {
        this.lostCount += batch.length;
        for (const { reject } of batch) reject(failure);
      }
    }
    this.writing = undefined;
  }

  private async tryToWrite(items: readonly Item[]): Promise<AuditError | undefined> {
    const retries = this.options.retries ?? 3;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.options.write(items);
        return undefined;
      } catch (cause) {
        // A close gives each batch one more try, and does not wait out the pauses of all of them.
        if (attempt >= retries || this.closed) return new AuditError('AUDIT_WRITE_FAILED', { cause });
        await sleep(FIRST_PAUSE_MS * 2 ** attempt);
      }
    }
  }
}
