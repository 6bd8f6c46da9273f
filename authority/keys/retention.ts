import { sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';

/** Kept for repeated commands, and for looking into what happened. */
const REMEMBERED_SECONDS = 30 * 24 * 60 * 60;

/** Removes keys that have left the key set. Revoked ones, whose private halves are erased already, are removed later. */
export async function removeGoneKeys(db: AuthorityDatabase): Promise<void> {
  await sql`delete from authority.signing_key
    where gone_at < clock_timestamp() and revoked_at is null`.execute(db);
  await sql`delete from authority.signing_key
    where revoked_at < clock_timestamp() - make_interval(secs => ${REMEMBERED_SECONDS})`.execute(db);
}
