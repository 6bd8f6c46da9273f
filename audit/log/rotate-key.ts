import type { Kysely } from 'kysely';
import { appendEvent, consoleEvent } from '../erase.js';
import type { Erasing } from '../erase.js';
import type { AuditDatabase } from '../schema.js';
import { signNote, verifierKey } from './note.js';
import type { NoteKey } from './note.js';

const FORMAT = 'behalf-log-key/v1';

/**
 * Introduces the log's next key: a record in the log, signed by the key before it, from which verifiers learn the next one. Sign
 * checkpoints with both until everybody has seen it.
 *
 * @param current a key that verifiers trust already
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
