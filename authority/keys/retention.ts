import { sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';

/** For a command that is repeated, and for whoever looks back at what happened. */
const REMEMBERED_SECONDS = 30 * 24 * 60 * 60;

/** Forgets the keys that are gone from the key set; revoked ones, whose private halves are erased, later. */
export async function removeGoneKeys(db: AuthorityDatabase): Promise<void> {
  await sql`delete from authority.signing_key
    where gone_at < clock_timestamp() and revoked_at is null`.execute(db);
  await sql`delete from authority.signing_key
    where revoked_at < clock_timestamp() - make_interval(secs => ${REMEMBERED_SECONDS})`.execute(db);
}
