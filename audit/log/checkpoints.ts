import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { AuditDatabase } from '../schema.js';
import { LogError } from './errors.js';
import type { Head } from './integrate.js';
import { checkpointText, signNote } from './note.js';
import type { NoteKey } from './note.js';

/** The newest checkpoint that others may rely on. */
export interface StoredCheckpoint {
  readonly size: number;
  readonly note: string;
  readonly isWitnessed: boolean;
}

/**
 * Signs a head that is committed, and stores the checkpoint. A head of the same size was signed with the same root, or nothing is
 * signed: the signature of Ed25519 depends on nothing else, so signing again after a crash gives the same checkpoint.
 *
 * @param remember notes durably that the head is signed; the checkpoint is stored, where others read it, only after that
 * @throws {LogError} `LOG_ROLLED_BACK`, and what `remember` throws
 */
export async function signHead(
  db: Kysely<AuditDatabase>,
  { origin, size, root }: Head,
  keys: readonly NoteKey[],
  remember: () => Promise<void>,
): Promise<StoredCheckpoint> {
  const newest = await db
    .selectFrom('audit.checkpoint')
    .selectAll()
    .where('origin', '=', origin)
    .where('size', '>=', size)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (newest !== undefined && (newest.size > size || Buffer.compare(newest.root, root) !== 0)) {
    throw new LogError('LOG_ROLLED_BACK', `a log of ${newest.size} was signed; this one has ${size} entries`);
  }
  await remember();
  if (newest !== undefined) return { size, note: newest.note, isWitnessed: newest.is_witnessed };
  const note = signNote(checkpointText(origin, size, root), keys);
  await sql`
    insert into audit.checkpoint (origin, size, root, note) values (${origin}, ${size}, ${root}, ${note})
    on conflict do nothing`.execute(db);
  return { size, note, isWitnessed: false };
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
