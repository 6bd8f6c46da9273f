import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BatchWriter } from './batch-writer.js';
import type { AuditRecord, AuditSink } from './record.js';

/** Appends records to a file, one JSON object per line, for a gateway without a database. Durable after `fdatasync`. */
export class FileAuditSink implements AuditSink {
  private readonly writer: BatchWriter<AuditRecord>;

  private constructor(private readonly file: FileHandle) {
    this.writer = new BatchWriter({
      write: async (records) => {
        await file.write(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
        await file.datasync();
      },
      // A line that was half written must not be written again behind itself.
      retries: 0,
    });
  }

  /** @throws the file system's error when the file cannot be opened for appending. */
  static async open(path: string): Promise<FileAuditSink> {
    return new FileAuditSink(await open(path, 'a', 0o600));
  }

  get lost(): number {
    return this.writer.lost;
  }

  append(record: AuditRecord): Promise<void> {
    return this.writer.append(record);
  }

  async close(): Promise<void> {
    await this.writer.close();
    await this.file.close();
  }
}
