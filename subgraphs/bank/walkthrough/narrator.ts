import { readAudit } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { describeRecord } from 'behalf/internal';
import { openDatabase } from '@behalf/store';
import { WalkthroughError } from './error.js';

const LINE_WIDTH = 100;
const HEADING_WIDTH = 90;

/** Prints the walkthrough: numbered headings, requests, answers and audit records. */
export class Narrator {
  readonly print: (line: string) => void;
  #step = 0;

  constructor(print: (line: string) => void) {
    this.print = print;
  }

  heading(title: string, words: string): void {
    this.#step += 1;
    this.print('');
    this.print(`━━ ${this.#step}. ${title} ${'━'.repeat(Math.max(3, HEADING_WIDTH - title.length))}`);
    this.print(words);
    this.print('');
  }

  /**
   * Prints the audit record of a request.
   *
   * @throws WalkthroughError when there is none
   */
  async record(databaseUrl: string, transactionId: string | undefined): Promise<void> {
    if (transactionId === undefined) throw new WalkthroughError('The answer names no transaction');
    const db = openDatabase<AuditDatabase>(databaseUrl, { max: 1 });
    try {
      const [record] = await readAudit(db, { transactionId, limit: 1 });
      if (record === undefined) throw new WalkthroughError('The request has no audit record');
      this.print(describeRecord(record));
    } finally {
      await db.destroy();
    }
  }
}

/** JSON in which every value that fits on one line is written on one. */
export function json(value: unknown, depth = 0): string {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || line.length + 2 * depth <= LINE_WIDTH) return line;
  const inner = '  '.repeat(depth + 1);
  const entries = Array.isArray(value)
    ? value.map((entry) => json(entry, depth + 1))
    : Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}: ${json(entry, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${inner}${entries.join(`,\n${inner}`)}\n${'  '.repeat(depth)}${close}`;
}

export function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}
