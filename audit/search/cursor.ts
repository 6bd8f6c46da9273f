import { createHash } from 'node:crypto';
import type { AuditError } from '../errors.js';
import { isTime, searchRefused } from './filter.js';
import type { AuditFilter } from './filter.js';

/** A place in the log's order. */
export interface Position {
  readonly recordedAt: Date;
  readonly seq: number;
}

const POSITION_BYTES = 16;
const DIGEST_BYTES = 8;
const CURSOR = /^[\w-]{32}$/;

/**
 * The cursor of a place, for one filter. It is no secret and grants nothing: whatever place it names, a search returns only what
 * its filter matches. The digest finds cursors of other searches, and damaged ones.
 */
export function encodeCursor({ recordedAt, seq }: Position, filter: AuditFilter): string {
  const position = Buffer.alloc(POSITION_BYTES);
  position.writeBigInt64BE(BigInt(recordedAt.getTime()));
  position.writeBigInt64BE(BigInt(seq), POSITION_BYTES / 2);
  return Buffer.concat([position, digestOf(position, filter)]).toString('base64url');
}

/** @throws {AuditError} `AUDIT_SEARCH_REFUSED` for anything but a cursor of a search with this filter */
export function decodeCursor(cursor: string, filter: AuditFilter): Position {
  if (!CURSOR.test(cursor)) throw refused();
  const bytes = Buffer.from(cursor, 'base64url');
  const position = bytes.subarray(0, POSITION_BYTES);
  if (!digestOf(position, filter).equals(bytes.subarray(POSITION_BYTES))) throw refused();
  const recordedAt = new Date(Number(position.readBigInt64BE()));
  const seq = Number(position.readBigInt64BE(POSITION_BYTES / 2));
  // Whoever knows the format can make a cursor of any numbers.
  if (!isTime(recordedAt) || !Number.isSafeInteger(seq)) throw refused();
  return { recordedAt, seq };
}

function digestOf(position: Buffer, filter: AuditFilter): Buffer {
  const members = Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update('behalf audit cursor v1\0')
    .update(position)
    .update(JSON.stringify(members))
    .digest()
    .subarray(0, DIGEST_BYTES);
}

function refused(): AuditError {
  return searchRefused('"after" is not a cursor of this search');
}
