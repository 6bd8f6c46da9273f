import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BatchWriter } from './batch-writer.js';
import type { AuditRecord, AuditSink } from './record.js';

/**
 * Appends records to a file, one JSON object per line, for a gateway without a database. Durable after `fdatasync`.
 *
 * @example
 * ```ts
 * import { FileAuditSink } from '@behalf/audit';
 *
 * const sink = await FileAuditSink.open('audit.jsonl');
 * const audit = { mode: 'required', sink, pseudonymKey: crypto.getRandomValues(new Uint8Array(32)) };
 * // With the options of `protectGateway`; when the gateway has stopped:
 * await sink.close();
 * ```
 */
export class FileAuditSink implements AuditSink {
  readonly #writer: BatchWriter<AuditRecord>;

  readonly #file: FileHandle;
  /** Whether the file ends in the middle of a line, so that the next record must begin a new one. */
  #isCutOff: boolean;

  private constructor(file: FileHandle, isCutOff: boolean) {
    this.#file = file;
    this.#isCutOff = isCutOff;
    this.#writer = new BatchWriter({
      write: async (records) => {
        const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
        const text = this.#isCutOff ? `\n${lines}` : lines;
        this.#isCutOff = true;
        // appendFile continues after a short write; write would report it as success.
        await file.appendFile(text);
        this.#isCutOff = false;
        await file.datasync();
      },
      // A retry would duplicate what was written before the failure.
      maxWaitMs: 0,
    });
  }

  /**
   * Opens the file for appending, and creates it if it is missing.
   *
   * @throws the file system's error when the file cannot be opened for appending.
   */
  static async open(path: string): Promise<FileAuditSink> {
    // Also opened for reading, to look at the last byte.
    const file = await open(path, 'a+', 0o600);
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    return new FileAuditSink(file, size > 0 && last.toString() !== '\n');
  }

  get lost(): number {
    return this.#writer.lost;
  }

  append(record: AuditRecord): Promise<void> {
    return this.#writer.append(record);
  }

  /** @throws the file system's error if it does not take what was written */
  async check(): Promise<void> {
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#file.close();
  }
}
