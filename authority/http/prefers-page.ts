import type { IncomingMessage } from 'node:http';

/** Whether a person at a browser is waiting for the answer. Only browsers name HTML; programs accept JSON, or anything. */
export function prefersPage({ headers }: IncomingMessage): boolean {
  return /\btext\/html\b/i.test(headers.accept ?? '');
}
