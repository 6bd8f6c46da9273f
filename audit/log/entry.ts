import { createHash, randomBytes } from 'node:crypto';
import { hashLeaf } from './hashing.js';

/** The first line of every entry. Another format of entries has another first line. */
const FORMAT = 'behalf-record/v1';
const SALT_BYTES = 16;

/**
 * The part of a record in the log: its class, the time at which the database stored it, and the hash of its text. The text is
 * beside the log, so that it can be erased while the tree stays whole.
 */
export interface LogEntry {
  readonly recordClass: string;
  /** Milliseconds since the epoch. */
  readonly recordedAtMs: number;
  /** SHA-256 of the record's text. */
  readonly contentHash: Uint8Array;
}

/** The four lines that are hashed as a leaf of the tree. */
export function entryBytes({ recordClass, recordedAtMs, contentHash }: LogEntry): Buffer {
  const hash = Buffer.from(contentHash).toString('base64');
  return Buffer.from(`${FORMAT}\n${recordClass}\n${recordedAtMs}\n${hash}\n`);
}

/** Makes the receipt of a durable record: the leaf that will be in the tree. */
export function receiptOf(recordClass: string, recordedAtMs: number, content: string): string {
  const contentHash = createHash('sha256').update(content).digest();
  return hashLeaf(entryBytes({ recordClass, recordedAtMs, contentHash })).toString('base64url');
}

/** Random, so that nobody finds an erased record again by hashing what it may have said. */
export function makeSalt(): string {
  return randomBytes(SALT_BYTES).toString('base64url');
}
