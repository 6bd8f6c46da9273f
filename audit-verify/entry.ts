import { createHash } from 'node:crypto';
import { VerificationError } from './errors.js';
import { leafHash } from './merkle.js';
import { parseHash, parseTime } from './text.js';

const FORMAT = 'behalf-record/v1';
const CLASS = /^[a-z]{1,16}(?:-[a-z]{1,16}){0,3}$/;

/** The part of a record in the log. The record itself stays outside, so that it can be erased and the tree still verifies. */
export interface Entry {
  /** The kind of the record, on which its retention depends. */
  readonly recordClass: string;
  /** When the database stored it, in milliseconds since the epoch. */
  readonly recordedAtMs: number;
  /** SHA-256 of the record's text. */
  readonly contentHash: Buffer;
}

/** The bytes of an entry: four lines. */
export function entryBytes({ recordClass, recordedAtMs, contentHash }: Entry): Buffer {
  return Buffer.from(`${FORMAT}\n${recordClass}\n${recordedAtMs}\n${contentHash.toString('base64')}\n`);
}

/** @throws {VerificationError} `MALFORMED` */
export function parseEntry(bytes: Uint8Array): Entry {
  const text = Buffer.from(bytes).toString('latin1');
  const [format, recordClass = '', time = '', hash = '', end, ...more] = text.split('\n');
  if (format !== FORMAT || !CLASS.test(recordClass) || end !== '' || more.length > 0) {
    throw new VerificationError('MALFORMED', `the entry does not have the format ${FORMAT}`);
  }
  return {
    recordClass,
    recordedAtMs: parseTime(time, 1, 'the time of the entry'),
    contentHash: parseHash(hash, 'the hash of the entry'),
  };
}

/** The leaf of a record, from its text. */
export function recordLeaf(recordClass: string, recordedAtMs: number, content: string): Buffer {
  return leafHash(entryBytes({ recordClass, recordedAtMs, contentHash: hashOf(content) }));
}

export function hashOf(content: string): Buffer {
  return createHash('sha256').update(content).digest();
}
