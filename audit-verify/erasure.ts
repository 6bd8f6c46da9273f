import { VerificationError } from './errors.js';
import type { Entry } from './entry.js';
import { parseRecord } from './proof.js';
import { isTime } from './text.js';

/** Younger records cannot be erased. */
const LEAST_AGE_MS = 2 * 86_400_000;

/** What the log says about records whose texts were erased. */
export interface Erasure {
  /** Of the record that says so. */
  readonly index: number;
  readonly recordClass: string;
  /** Those that were stored before this time, in milliseconds since the epoch. */
  readonly beforeMs: number;
}

/**
 * Reads a record with `event: 'records-erased'`, which only the log's owner writes.
 *
 * @returns undefined for any other record
 * @throws {VerificationError} for one that would let records disappear that were younger than two days, which no lawful one does
 */
export function readErasure(
  content: string,
  index: number,
  { recordClass, recordedAtMs }: Entry,
): Erasure | undefined {
  // As with keys: nearly no record is one of these.
  if (!content.includes('"records-erased"')) return undefined;
  const { event, details } = parseRecord(content);
  if (event !== 'records-erased' || recordClass !== 'log') return undefined;
  const { class: erased, before } = (details ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof erased !== 'string' || !isTime(before) || before > recordedAtMs - LEAST_AGE_MS) {
    throw new VerificationError(
      'MALFORMED',
      'it does not say which records were erased, of a time two days before it or earlier',
    );
  }
  return { index, recordClass: erased, beforeMs: before };
}

/** Until when the records of each class may be gone. */
export function lastErasures(erasures: readonly Erasure[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const { recordClass, beforeMs } of erasures)
    last.set(recordClass, Math.max(last.get(recordClass) ?? 0, beforeMs));
  return last;
}
