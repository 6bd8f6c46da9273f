import { sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';
import { SESSION_REVOKED, SIGNING_KEY_REVOKED, SIGNING_KEY_ROTATED } from './log.js';

/**
 * These events matter only to tokens that were alive then. A day would cover new streams and every token's lifetime; the rest of
 * the week is for receivers that come late. All other events stay in the log.
 */
const PASSING: readonly string[] = [SESSION_REVOKED, SIGNING_KEY_ROTATED, SIGNING_KEY_REVOKED];

const KEPT_SECONDS = 7 * 24 * 60 * 60;

/**
 * Removes a batch of events that no living token can match. Sequence numbers are not reused, because the head of the log stays.
 *
 * @returns the number of removed events; if it equals `limit`, there may be more
 */
export async function removeOldChanges(db: AuthorityDatabase, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from authority.change_event where seq in (
      select seq from authority.change_event
      where occurred_at < clock_timestamp() - make_interval(secs => ${KEPT_SECONDS})
        and kind = any(${[...PASSING]}::text[])
      order by occurred_at limit ${limit})`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
