import { sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';
import { SESSION_REVOKED, SIGNING_KEY_REVOKED, SIGNING_KEY_ROTATED } from './log.js';

/**
 * What these say matters only to tokens that were alive then. A day is what a new stream begins with, and more than any token
 * lives; the rest of the week is for receivers that come late. Whatever else is in the log stays.
 */
const PASSING: readonly string[] = [SESSION_REVOKED, SIGNING_KEY_ROTATED, SIGNING_KEY_REVOKED];

const KEPT_SECONDS = 7 * 24 * 60 * 60;

/**
 * Removes events that no living token can match, some at a time. Numbers are not given again: the head of the log stays.
 *
 * @returns how many; when it equals `limit` there may be more
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
