import type { Kysely } from 'kysely';
import { appendEvent, consoleEvent } from './erase.js';
import type { Erasing } from './erase.js';
import { canFollow, newestSigned, requireOrigin } from './log/key-continuity.js';
import { verifierKey } from './log/note.js';
import type { NoteKey } from './log/note.js';
import type { AuditDatabase } from './schema.js';

/**
 * Records that keys replace those of a log, which are lost, so that they could not introduce others. Verifiers do not follow: they
 * have to be given the new keys in another way.
 *
 * @returns false, and records nothing, if a key signed the newest checkpoint, or nothing is signed yet
 * @throws {LogError} `LOG_ORIGIN_CHANGED`; {AuditError} `AUDIT_REASON_MISSING`
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFileSync } from 'node:fs';
 * import { type AuditDatabase, recordReplacedKey } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://behalf@db.example/behalf');
 * const key = { name: 'audit.bank.example', privateKey: createPrivateKey(readFileSync('new.pem')) };
 * await recordReplacedKey(db, [key], { operator: 'mira', reason: 'the disk died' }, Date.now());
 * await db.destroy();
 * ```
 */
export async function recordReplacedKey(
  db: Kysely<AuditDatabase>,
  keys: readonly [NoteKey, ...NoteKey[]],
  who: Erasing,
  nowMs: number,
): Promise<boolean> {
  const origin = keys[0].name;
  await requireOrigin(db, origin);
  if (canFollow(await newestSigned(db, origin), keys)) return false;
  for (const key of keys) {
    const details = { key: verifierKey(key) };
    await appendEvent(db, consoleEvent('log-key-replaced', who, { details }, nowMs));
  }
  return true;
}
