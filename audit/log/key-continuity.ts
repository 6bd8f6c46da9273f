import type { Kysely } from 'kysely';
import type { AuditDatabase } from '../schema.js';
import { LogError } from './errors.js';
import { loadLogKey } from './log-key.js';
import { checkpointText, signatureLine } from './note.js';
import type { NoteKey } from './note.js';

/** The newest checkpoint of a log, whether others may rely on it or not. */
export interface SignedHead {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
  readonly isWitnessed: boolean;
}

/** @returns undefined if nothing of the log was signed yet */
export async function newestSigned(
  db: Kysely<AuditDatabase>,
  origin: string,
): Promise<SignedHead | undefined> {
  return db
    .selectFrom('audit.checkpoint')
    .select(['size', 'root', 'note', 'is_witnessed as isWitnessed'])
    .where('origin', '=', origin)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Those of the keys that have not signed a head, as signature lines. The same key always signs the same text in the same way. */
export function missingSignatures(
  { note, root, size }: Omit<SignedHead, 'isWitnessed'>,
  keys: readonly NoteKey[],
): readonly string[] {
  return keys
    .map((key) => signatureLine(checkpointText(key.name, size, root), key))
    .filter((line) => !note.includes(`\n${line}`));
}

/** Whether verifiers can follow a log from its newest checkpoint to one that these keys sign. */
export function canFollow(newest: SignedHead | undefined, keys: readonly NoteKey[]): boolean {
  return newest === undefined || missingSignatures(newest, keys).length < keys.length;
}

/** @throws {LogError} `LOG_ORIGIN_CHANGED` if the log in the database has another name */
export async function requireOrigin(db: Kysely<AuditDatabase>, origin: string): Promise<void> {
  const head = await db.selectFrom('audit.head').select('origin').executeTakeFirst();
  if (head?.origin !== undefined && head.origin !== null && head.origin !== origin)
    throw new LogError('LOG_ORIGIN_CHANGED', `the log is ${head.origin}, not ${origin}`);
}

/** @throws {LogError} `LOG_KEY_UNUSABLE` */
export function requireFollowing(
  newest: SignedHead | undefined,
  origin: string,
  keys: readonly NoteKey[],
): void {
  if (canFollow(newest, keys)) return;
  const which = keys.length === 1 ? 'the key has not signed' : 'none of the keys has signed';
  throw new LogError('LOG_KEY_UNUSABLE', `${which} the newest checkpoint of ${origin}`);
}

/**
 * The keys of a log from their files. A missing one is made only for a log of which nothing is signed, or to replace one that is lost: a
 * file that was mistyped would otherwise become a key that nobody trusts.
 *
 * @throws {LogError} `LOG_ORIGIN_CHANGED`, `LOG_ORIGIN_INVALID`, `LOG_KEY_UNUSABLE`
 */
export async function loadKeysOf(
  db: Kysely<AuditDatabase>,
  origin: string,
  [first, ...others]: readonly [string, ...string[]],
  { mayReplace = false }: { readonly mayReplace?: boolean } = {},
): Promise<readonly [NoteKey, ...NoteKey[]]> {
  await requireOrigin(db, origin);
  const newest = await newestSigned(db, origin);
  const mayCreate = mayReplace || newest === undefined;
  const keys: [NoteKey, ...NoteKey[]] = [await loadLogKey(first, origin, mayCreate)];
  for (const file of others) keys.push(await loadLogKey(file, origin, mayCreate));
  if (!mayReplace) requireFollowing(newest, origin, keys);
  return keys;
}
