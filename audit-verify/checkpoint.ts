import { VerificationError } from './errors.js';
import { emptyRoot, equal } from './merkle.js';
import { parseNote } from './note.js';
import type { Note } from './note.js';
import { parseHash, parseSize } from './text.js';

/** A head of a log, none of its signatures verified yet (C2SP tlog-checkpoint v1.0.0). */
export interface Checkpoint {
  /** The name of the log. */
  readonly origin: string;
  /** The number of entries. */
  readonly size: number;
  readonly root: Buffer;
  readonly note: Note;
}

/** @throws {VerificationError} `MALFORMED` */
export function parseCheckpoint(text: string): Checkpoint {
  const note = parseNote(text);
  const [origin = '', size = '', root = '', ...extensions] = note.text.slice(0, -1).split('\n');
  if (origin === '') throw new VerificationError('MALFORMED', 'the checkpoint has no origin');
  if (extensions.includes('')) {
    throw new VerificationError('MALFORMED', 'the checkpoint has an empty extension line');
  }
  return {
    origin,
    size: parseSize(size, 'the size of the checkpoint'),
    root: parseHash(root, 'the root of the checkpoint'),
    note,
  };
}

/** Whether a checkpoint of size 0 has the root of the empty tree (RFC 9162, section 2.1.1). Others can have any. */
export function hasPossibleRoot({ root, size }: Checkpoint): boolean {
  return size > 0 || equal(root, emptyRoot());
}
