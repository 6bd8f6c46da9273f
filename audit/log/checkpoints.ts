import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { AuditDatabase } from '../schema.js';
import { LogError } from './errors.js';
import type { Head } from './integrate.js';
import { missingSignatures, newestSigned, requireFollowing } from './key-continuity.js';
import type { SignedHead } from './key-continuity.js';
import { checkpointText, signNote } from './note.js';
import type { NoteKey } from './note.js';

/** The newest checkpoint that others may rely on. */
export interface StoredCheckpoint {
  readonly size: number;
  readonly note: string;
  readonly isWitnessed: boolean;
}

/** What {@link signHead} signs with. */
export interface Signing {
  readonly keys: readonly NoteKey[];
  /** Whether none of the keys need have signed the newest checkpoint, because those that did are lost. */
  readonly replacesLostKey: boolean;
  /** Notes durably that the head is signed; the checkpoint is stored, where others read it, only after that. */
  readonly remember: () => Promise<void>;
}

/**
 * Signs a head that is committed, and stores the checkpoint. A head of the same size was signed with the same root, or nothing is
 * signed: the signature of Ed25519 depends on nothing else, so signing again after a crash gives the same checkpoint.
 *
 * @throws {LogError} `LOG_ROLLED_BACK`, `LOG_KEY_UNUSABLE`, and what `remember` throws
 */
export async function signHead(
  db: Kysely<AuditDatabase>,
  { origin, size, root }: Head,
  { keys, remember, replacesLostKey }: Signing,
): Promise<StoredCheckpoint> {
  const newest = await newestSigned(db, origin);
  if (newest !== undefined && newest.size >= size && !(newest.size === size && newest.root.equals(root))) {
    throw new LogError('LOG_ROLLED_BACK', `a log of ${newest.size} was signed; this one has ${size} entries`);
  }
  // A key that was mistyped would make checkpoints that nobody trusts, and could not be taken back.
  if (!replacesLostKey) requireFollowing(newest, origin, keys);
  await remember();
  if (newest?.size === size) return addSignatures(db, origin, newest, keys);
  const note = signNote(checkpointText(origin, size, root), keys);
  await sql`
    insert into audit.checkpoint (origin, size, root, note) values (${origin}, ${size}, ${root}, ${note})
    on conflict do nothing`.execute(db);
  return { size, note, isWitnessed: false };
}

/** A key that was added since signs the same head too, so that the next one may be signed with this key alone. */
async function addSignatures(
  db: Kysely<AuditDatabase>,
  origin: string,
  newest: SignedHead,
  keys: readonly NoteKey[],
): Promise<StoredCheckpoint> {
  const { isWitnessed, size } = newest;
  const missing = missingSignatures(newest, keys);
  const note = `${newest.note}${missing.join('')}`;
  if (missing.length > 0) {
    await db
      .updateTable('audit.checkpoint')
      .set({ note })
      .where('origin', '=', origin)
      .where('size', '=', size)
      .where('note', '=', newest.note)
      .execute();
  }
  return { size, note, isWitnessed };
}

/** Several are signed in a second. Older ones than this are kept one for each hour. */
const ALL_KEPT = '1 day';

/** Deletes old checkpoints, so that their number does not grow with the traffic. Each hour's largest stays, witnessed ones first. */
export async function pruneCheckpoints(db: Kysely<AuditDatabase>): Promise<void> {
  await sql`
    delete from audit.checkpoint as old
    using (
      select origin, size, row_number() over (
        partition by origin, date_trunc('hour', signed_at) order by is_witnessed desc, size desc
      ) as place
      from audit.checkpoint
      where signed_at < date_trunc('hour', clock_timestamp() - ${sql.lit(ALL_KEPT)}::interval)
    ) as listed
    where listed.origin = old.origin and listed.size = old.size and listed.place > 1`.execute(db);
}
