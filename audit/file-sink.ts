import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BatchWriter } from './batch-writer.js';
import type { AuditRecord, AuditSink } from './record.js';

/** Appends records to a file, one JSON object per line, for a gateway without a database. Durable after `fdatasync`. */
export class FileAuditSink implements AuditSink {
  private readonly writer: BatchWriter<AuditRecord>;

  private constructor(private readonly file: FileHandle) {
    let isLineBroken = false;
    this.writer = new BatchWriter({
      write: async (records) => {
        const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
        // After a write that failed half way its last line has no end: the next record must not become part of it.
        const start = isLineBroken ? '\n' : '';
        isLineBroken = true;
        await file.appendFile(start + lines);
        await file.datasync();
        isLineBroken = false;
      },
      // What was written of it before it failed would be there twice.
      maxWaitMs: 0,
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
