import { LRUCache } from 'lru-cache';
import type { Clock } from '@behalf/directives';
import { BatchWriter } from './batch-writer.js';
import type { BatchWriterOptions } from './batch-writer.js';
import { AuditError } from './errors.js';

/** For all names and pseudonyms that are kept: those of some 50,000 people. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Of one entry, besides its text. */
const ENTRY_BYTES = 128;
/**
 * How long a pseudonym is used without asking again. After a person is erased, a gateway may name them so for as long: nothing
 * leads from such a record to the person either.
 */
export const PSEUDONYM_KEPT_MS = 60_000;

/** Name of a subject → pseudonym. */
export type Pseudonyms = ReadonlyMap<string, string>;

export interface PseudonymSourceOptions extends Pick<
  BatchWriterOptions<string, Pseudonyms>,
  'isFaultOfItem' | 'isFinal' | 'maxQueue' | 'maxWaitMs'
> {
  /** Asks the database, for distinct names. */
  readonly ask: (subjects: readonly string[]) => Promise<Pseudonyms>;
  readonly clock: Clock;
}

/** The pseudonyms of subjects, from the database: kept for a short time, and asked for together. */
export class PseudonymSource {
  readonly #known: LRUCache<string, string>;
  readonly #asking: BatchWriter<string, Pseudonyms>;

  constructor({ ask, clock, ...options }: PseudonymSourceOptions) {
    this.#known = new LRUCache({
      maxSize: MAX_BYTES,
      sizeCalculation: (pseudonym, subject) => ENTRY_BYTES + 2 * (pseudonym.length + subject.length),
      ttl: PSEUDONYM_KEPT_MS,
      ttlResolution: 0,
      // An entry of time 0 would stay forever.
      perf: { now: () => clock.monotonic() + 1 },
    });
    this.#asking = new BatchWriter({
      ...options,
      clock,
      write: (subjects) => ask([...new Set(subjects)]),
      bytesOf: (subject) => Buffer.byteLength(subject),
    });
  }

  /** @throws {AuditError} if the database does not tell one of them */
  async of(subjects: readonly string[]): Promise<Pseudonyms> {
    const entries = await Promise.all(
      subjects.map(async (subject) => [subject, await this.#one(subject)] as const),
    );
    return new Map(entries);
  }

  async #one(subject: string): Promise<string> {
    const known = this.#known.get(subject);
    if (known !== undefined) return known;
    const pseudonym = (await this.#asking.append(subject)).get(subject);
    if (pseudonym === undefined) throw new AuditError('AUDIT_WRITE_FAILED');
    this.#known.set(subject, pseudonym);
    return pseudonym;
  }

  async close(): Promise<void> {
    await this.#asking.close();
  }
}
