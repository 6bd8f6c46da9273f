import { parseCheckpoint } from './checkpoint.js';
import type { Checkpoint } from './checkpoint.js';
import type { Findings } from './findings.js';
import type { Frontier } from './frontier.js';
import { equal } from './merkle.js';

/** What findings say of where a checkpoint is from. */
export interface PastWords {
  readonly one: string;
  readonly verb: string;
  readonly verbOfMany: string;
}

/** Of whoever verifies, or of a witness. */
export const SEEN: PastWords = {
  one: 'a checkpoint seen before',
  verb: 'was seen before',
  verbOfMany: 'were seen before',
};
/** Of the log itself. */
export const KEPT: PastWords = {
  one: 'an earlier checkpoint',
  verb: 'is in an earlier checkpoint',
  verbOfMany: 'are in an earlier checkpoint',
};

interface Past extends Checkpoint {
  readonly from: PastWords;
}

/** The checkpoints that a log must begin with. */
export class PastCheckpoints {
  readonly #head: Checkpoint;
  readonly #findings: Findings;
  /** Those that were not compared yet, the smallest last. */
  #waiting: Past[] = [];
  /** Behind the first difference all others differ as well, and a log keeps many checkpoints. */
  #isKeptReported = false;

  /** Whether a log is accused: anybody can show a checkpoint that was never signed. */
  readonly #isSigned: (checkpoint: Checkpoint) => boolean;

  /** @param isSigned by a key that is trusted when it is asked: the log may introduce keys */
  constructor(head: Checkpoint, findings: Findings, isSigned: (checkpoint: Checkpoint) => boolean) {
    this.#head = head;
    this.#findings = findings;
    this.#isSigned = isSigned;
  }

  add(texts: readonly string[], from: PastWords): void {
    const head = this.#head;
    for (const text of texts) {
      const checkpoint = this.#findings.attempt(() => parseCheckpoint(text), `${from.one}: `);
      if (checkpoint === undefined) continue;
      const { origin } = checkpoint;
      if (origin !== head.origin) {
        this.#findings.add('CHANGED', `the log is ${head.origin}; ${origin} ${from.verb}`);
      } else this.#waiting.push({ ...checkpoint, from });
    }
    this.#waiting.sort((a, b) => b.size - a.size);
  }

  /** Compares the tree so far with the checkpoints of its size. */
  compare(tree: Frontier): void {
    while (this.#waiting.at(-1)?.size === tree.size) {
      const checkpoint = this.#waiting.pop();
      if (checkpoint === undefined || equal(checkpoint.root, tree.root())) continue;
      if (this.#refusesUnsigned(checkpoint)) continue;
      if (checkpoint.from === KEPT && this.#isKeptReported) continue;
      this.#isKeptReported ||= checkpoint.from === KEPT;
      this.#findings.add(
        'CHANGED',
        `the first ${checkpoint.size} entries are not those that ${checkpoint.from.verbOfMany}: one of them was changed, moved or removed`,
      );
    }
  }

  /** Names those of a larger tree. */
  end(): void {
    const { size: length } = this.#head;
    for (const checkpoint of this.#waiting.toReversed()) {
      const { from, size } = checkpoint;
      if (size <= length || this.#refusesUnsigned(checkpoint)) continue;
      this.#findings.add(
        'TRUNCATED',
        `the log has ${length} entries; ${size} ${from.verbOfMany}, so the last ${size - length} are gone`,
        length,
      );
    }
  }

  #refusesUnsigned(checkpoint: Past): boolean {
    if (checkpoint.from !== SEEN || this.#isSigned(checkpoint)) return false;
    this.#findings.add(
      'SIGNATURE',
      `${SEEN.one}: it has ${checkpoint.size} entries and is not that of the log, but no key that is trusted signed it`,
    );
    return true;
  }
}
