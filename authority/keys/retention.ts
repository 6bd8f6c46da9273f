import { sql } from 'kysely';

import { recordEvents } from '../audit/record-events.js';
import type { AuthorityDatabase } from '../schema.js';
import { transact } from '../transact.js';

/** Kept for repeated commands, and for looking into what happened. */
const REMEMBERED_SECONDS = 30 * 24 * 60 * 60;

/** Removes keys that have left the key set. Revoked ones, whose private halves are erased already, are removed later. */
export async function removeGoneKeys(db: AuthorityDatabase): Promise<void> {
  await transact(db, async (trx) => {
    const { rows } = await sql<{ keyId: string }>`delete from authority.signing_key
      where gone_at < clock_timestamp() and revoked_at is null returning kid as "keyId"`.execute(trx);
    await recordEvents(
      trx,
      rows.map((details) => ({ event: 'signing-key-withdrawn', details })),
    );
  });
  await sql`delete from authority.signing_key
    where revoked_at < clock_timestamp() - make_interval(secs => ${REMEMBERED_SECONDS})`.execute(db);
}
