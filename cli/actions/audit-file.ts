import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { AuditEntry } from '@behalf/audit';
import { readEntry } from '@behalf/audit/internal';
import type { Clock } from '@behalf/directives';
import { CommandError } from '../command-error.js';

/** A record's own bound is 1 MiB; a line that is longer is no record, and is never held in memory as a whole. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const FOLLOW_INTERVAL_MS = 500;
const NEWLINE = 0x0a;

/** A line of an audit file: a record, or undefined if it is none. */
export type FileEntry = AuditEntry | undefined;

/** The file of a gateway's `audit.file`: one record per line. */
export class AuditFile {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens the file for the work, and closes it afterwards.
   *
   * @throws CommandError `FILE_UNREADABLE`
   */
  static async use<Result>(path: string, work: (file: AuditFile) => Promise<Result>): Promise<Result> {
    const file = await open(path).catch((error: unknown) => {
      throw unreadable(path, (error as NodeJS.ErrnoException).code ?? 'unknown reason');
    });
    try {
      if (!(await file.stat()).isFile()) throw unreadable(path, 'it is not a file');
      return await work(new AuditFile(path, file));
    } finally {
      await file.close();
    }
  }

  /** Where the last whole line ends. What follows is still being written, or was cut off. */
  async end(): Promise<number> {
    const { size } = await this.#file.stat();
    for (let end = size; end > 0; end -= CHUNK_BYTES) {
      const start = Math.max(0, end - CHUNK_BYTES);
      const at = (await this.#read(start, end)).lastIndexOf(NEWLINE);
      if (at !== -1) return start + at + 1;
    }
    return 0;
  }

  /** The entries before a place, the newest first. */
  async *backwards(end: number): AsyncGenerator<FileEntry> {
    // The pieces of a line of which the beginning is not read yet, in the order of the file.
    let pieces: Buffer[] = [];
    for (let stop = end - 1; stop > 0; stop -= CHUNK_BYTES) {
      const start = Math.max(0, stop - CHUNK_BYTES);
      const lines = splitLines(await this.#read(start, stop));
      for (const line of lines.slice(1).reverse()) {
        yield entryOf([line, ...pieces]);
        pieces = [];
      }
      pieces = bounded([lines[0] ?? Buffer.of(), ...pieces]);
    }
    if (end > 0) yield entryOf(pieces);
  }

  /** The entries from a place to another. */
  async *forwards(start: number, end: number): AsyncGenerator<FileEntry> {
    let pieces: Buffer[] = [];
    for (let from = start; from < end; from += CHUNK_BYTES) {
      const lines = splitLines(await this.#read(from, Math.min(end, from + CHUNK_BYTES)));
      for (const line of lines.slice(0, -1)) {
        yield entryOf([...pieces, line]);
        pieces = [];
      }
      pieces = bounded([...pieces, lines.at(-1) ?? Buffer.of()]);
    }
  }

  /**
   * The entries after a place as they are written, until the signal aborts.
   *
   * @throws CommandError `FILE_UNREADABLE` when the file became shorter
   */
  async *follow(start: number, clock: Pick<Clock, 'sleep'>, signal?: AbortSignal): AsyncGenerator<FileEntry> {
    for (let from = start; signal?.aborted !== true;) {
      await clock.sleep(FOLLOW_INTERVAL_MS, signal);
      const { size } = await this.#file.stat();
      if (size < from) throw unreadable(this.#path, 'it became shorter while it was read');
      const end = await this.end();
      yield* this.forwards(from, end);
      from = end;
    }
  }

  async #read(start: number, end: number): Promise<Buffer> {
    const buffer = Buffer.alloc(end - start);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await this.#file.read(buffer, length, buffer.length - length, start + length);
      if (bytesRead === 0) throw unreadable(this.#path, 'it became shorter while it was read');
      length += bytesRead;
    }
    return buffer;
  }
}

function unreadable(path: string, reason: string): CommandError {
  return new CommandError('FILE_UNREADABLE', `${path} cannot be read: ${reason}`);
}

/** What is before the first newline, between each two, and after the last. */
function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, start)) {
    lines.push(bytes.subarray(start, at));
    start = at + 1;
  }
  return [...lines, bytes.subarray(start)];
}

/** Pieces of a line that is too long are forgotten: what is left of it is no record. */
function bounded(pieces: Buffer[]): Buffer[] {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  return bytes > MAX_LINE_BYTES ? [Buffer.from('…')] : pieces;
}

function entryOf(pieces: readonly Buffer[]): FileEntry {
  return readEntry(Buffer.concat(pieces).toString());
}
