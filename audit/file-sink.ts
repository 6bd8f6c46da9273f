import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BatchWriter } from './batch-writer.js';
import { checkPath } from './check-options.js';
import { AuditError } from './errors.js';
import type { AuditEntry, AuditSink } from './record.js';
import { recordText } from './record-text.js';

/** White space before a record is JSON. A whole block, because less could still fit into the last one of a full disk. */
const PROBE = ' '.repeat(4_096);

/**
 * Appends records to a file, one JSON object per line, for a gateway without a database. Durable after `fdatasync`. A file is not
 * tamper-evident: whoever may write it can rewrite it. If it is deleted, replaced or cut off, the sink refuses further records.
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
  readonly #writer: BatchWriter<AuditEntry>;
  readonly #path: string;
  readonly #file: FileHandle;
  /** The state of the file after the last write. */
  #size: number;
  /** Whether the file ends in the middle of a line, so that the next record must begin a new one. */
  #isCutOff: boolean;
  /** Whether the last write failed, so that the next one probably does. */
  #hasFailed = false;
  /** A probe must not be written into the middle of a record. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: FileHandle, size: number, isCutOff: boolean) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
    this.#isCutOff = isCutOff;
    // A retry would duplicate what was written before the failure.
    this.#writer = new BatchWriter({
      write: (records) => this.#inTurn(() => this.#write(records)),
      maxWaitMs: 0,
    });
  }

  /**
   * Opens the file for appending, and creates it if it is missing.
   *
   * @throws {AuditError} `AUDIT_OPTION_INVALID` for anything but a path; the file system's error when the file cannot be opened for
   * appending.
   */
  static async open(path: string): Promise<FileAuditSink> {
    checkPath(path);
    // Also opened for reading, to look at the last byte.
    const file = await open(path, 'a+', 0o600);
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    return new FileAuditSink(path, file, size, size > 0 && last.toString() !== '\n');
  }

  get lost(): number {
    return this.#writer.lost;
  }

  async append(entry: AuditEntry): Promise<undefined> {
    await this.#writer.append(entry);
  }

  /**
   * After a write that failed, blanks are written: without requests, nothing else would tell that there is space again.
   *
   * @throws {AuditError} `AUDIT_LOG_BROKEN`, or the file system's error if it does not take what is written
   */
  async check(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#file.datasync();
      await this.#refuseBroken();
      if (this.#hasFailed) await this.#append(PROBE);
    });
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#turn;
    await this.#file.close();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #write(entries: readonly AuditEntry[]): Promise<void> {
    await this.#refuseBroken();
    await this.#append(entries.map((entry) => `${recordText(entry)}\n`).join(''));
    await this.#refuseBroken();
  }

  async #append(text: string): Promise<void> {
    try {
      // appendFile continues after a short write; write would report it as success.
      await this.#file.appendFile(this.#isCutOff ? `\n${text}` : text);
      this.#isCutOff = false;
      await this.#file.datasync();
      this.#size = (await this.#file.stat()).size;
      this.#hasFailed = false;
    } catch (error) {
      this.#hasFailed = true;
      // If nobody can tell, a part of it may be there.
      const hasGrown = ({ size }: { size: number }): boolean => size > this.#size;
      this.#isCutOff ||= await this.#file.stat().then(hasGrown, () => true);
      throw error;
    }
  }

  /**
   * An open file can be written after somebody deleted, replaced or emptied it, and nobody would find the records.
   *
   * @throws {AuditError} `AUDIT_LOG_BROKEN`
   */
  async #refuseBroken(): Promise<void> {
    const [open, named] = await Promise.all([this.#file.stat(), stat(this.#path).catch(() => undefined)]);
    const isSame = named?.ino === open.ino && named.dev === open.dev;
    if (!isSame || open.size < this.#size) throw new AuditError('AUDIT_LOG_BROKEN');
  }
}
