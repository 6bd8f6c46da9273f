import type { Kysely } from 'kysely';
import { appendEvent, consoleEvent } from './erase.js';
import type { Erasing } from './erase.js';
import { signNote, verifierKey } from './log/note.js';
import type { NoteKey } from './log/note.js';
import type { AuditDatabase } from './schema.js';

const FORMAT = 'behalf-log-key/v1';

/**
 * Introduces the log's next key: a record in the log, signed by the key before it, from which verifiers learn the next one. Sign
 * checkpoints with both until everybody has seen it.
 *
 * @param current a key that verifiers trust already
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFileSync } from 'node:fs';
 * import { type AuditDatabase, introduceKey } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://behalf@db.example/behalf');
 * const key = (file: string) => ({ name: 'audit.bank.example', privateKey: createPrivateKey(readFileSync(file)) });
 * await introduceKey(db, key('2026.pem'), key('2027.pem'), { operator: 'mira', reason: 'yearly' }, Date.now());
 * await db.destroy();
 * ```
 */
export async function introduceKey(
  db: Kysely<AuditDatabase>,
  current: NoteKey,
  next: NoteKey,
  who: Erasing,
  nowMs: number,
): Promise<void> {
  const key = verifierKey(next);
  const statement = signNote(`${FORMAT}\n${current.name}\n${key}\n`, [current]);
  await appendEvent(db, { ...consoleEvent('log-key-added', who, { details: { key } }, nowMs), statement });
}
