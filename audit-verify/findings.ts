import { VerificationError } from './errors.js';
import type { VerificationCode } from './errors.js';

/** Something that is wrong with a log. */
export interface Finding {
  readonly code: VerificationCode;
  /** One line: what is wrong, and where. */
  readonly message: string;
  /** The first entry that it concerns. */
  readonly index?: number;
}

/** Neighbours with the same fault: one finding. */
interface Range {
  readonly position: number;
  readonly fault: string;
  readonly from: number;
  readonly to: number;
}

/** The findings so far. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #max: number;
  /** The last finding about entries, and about records, to which a neighbour may be added. */
  readonly #ranges = new Map<string, Range>();

  /** @param max more are not added */
  constructor(max: number) {
    this.#max = max;
  }

  add(code: VerificationCode, message: string, index?: number): void {
    if (this.isFull) return;
    this.all.push(index === undefined ? { code, message } : { code, message, index });
  }

  /** Neighbours with the same fault are one finding: when a record is removed, all behind it have moved. */
  addAt(code: VerificationCode, what: 'entry' | 'record', index: number, fault: string): void {
    const open = this.#ranges.get(what);
    const isNext = open?.fault === fault && open.to === index - 1;
    if (!isNext && this.isFull) return;
    const range = isNext
      ? { ...open, to: index }
      : { position: this.all.length, fault, from: index, to: index };
    this.#ranges.set(what, range);
    const { position, from } = range;
    const places = from === index ? `${what} ${index}` : `${what} ${from} to ${index}`;
    this.all[position] = { code, message: `${places}: ${fault}`, index: from };
  }

  get isFull(): boolean {
    return this.all.length >= this.#max;
  }

  /** Makes a finding of a failed verification. */
  attempt<T>(verify: () => T, where = '', index?: number): T | undefined {
    try {
      return verify();
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      this.add(error.code, `${where}${error.message}`, index);
      return undefined;
    }
  }
}
