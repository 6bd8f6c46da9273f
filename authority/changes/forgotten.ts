import { sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';

/** Of a stream that is polled and no gateway's. */
const FORGOTTEN_AFTER_SECONDS = 24 * 60 * 60;
/** Of a gateway's, which makes a new one when it comes back: many come and go. Longer, if it permits anything for longer. */
const GATEWAY_FORGOTTEN_AFTER_SECONDS = 60 * 60;
const GATEWAY_MARGIN_SECONDS = 60;
/** Of a stream that is pushed and does not get on, as long as the log has what it lacks. */
const STOPPED_FORGOTTEN_AFTER_SECONDS = 7 * 24 * 60 * 60;

/** After so long without a poll the stream is forgotten. */
export function inactivityTimeoutSeconds(maxStalenessMs: number | null): number {
  if (maxStalenessMs === null) return FORGOTTEN_AFTER_SECONDS;
  const permitsSeconds = Math.floor(maxStalenessMs / 1000) + GATEWAY_MARGIN_SECONDS;
  return Math.max(GATEWAY_FORGOTTEN_AFTER_SECONDS, permitsSeconds);
}

/** Drops streams that nobody has polled for long enough, and those to push that have stood still for a week. */
export async function removeForgottenStreams(db: AuthorityDatabase): Promise<void> {
  await sql`delete from authority.stream where polled_at < clock_timestamp() - make_interval(secs =>
    case when push_endpoint is not null then ${STOPPED_FORGOTTEN_AFTER_SECONDS}::integer
      when max_staleness_ms is null then ${FORGOTTEN_AFTER_SECONDS}::integer
      else greatest(${GATEWAY_FORGOTTEN_AFTER_SECONDS}::integer,
        max_staleness_ms / 1000 + ${GATEWAY_MARGIN_SECONDS}::integer)
    end)
    and (push_endpoint is null or status <> 'enabled')`.execute(db);
}
