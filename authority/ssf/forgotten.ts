import { sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';
import { transact } from '../transact.js';
import { recordStream, type StreamFacts } from './stream-events.js';

/** For a polled stream that is not a gateway's. */
const FORGOTTEN_AFTER_SECONDS = 24 * 60 * 60;
/**
 * For a gateway's stream. Gateways come and go, and create a new stream when they return. Longer if the gateway's own
 * `maxStalenessMs` is.
 */
const GATEWAY_FORGOTTEN_AFTER_SECONDS = 60 * 60;
const GATEWAY_MARGIN_SECONDS = 60;
/** For a push stream that makes no progress: as long as the log keeps what it lacks. */
const STOPPED_FORGOTTEN_AFTER_SECONDS = 7 * 24 * 60 * 60;

const FORGOTTEN = 'nobody read it for too long';

/** How long a stream is kept without a poll. */
export function inactivityTimeoutSeconds(maxStalenessMs: number | null): number {
  if (maxStalenessMs === null) return FORGOTTEN_AFTER_SECONDS;
  const permitsSeconds = Math.floor(maxStalenessMs / 1000) + GATEWAY_MARGIN_SECONDS;
  return Math.max(GATEWAY_FORGOTTEN_AFTER_SECONDS, permitsSeconds);
}

/** Removes streams that nobody has polled for too long, and push streams without progress for a week. */
export async function removeForgottenStreams(db: AuthorityDatabase): Promise<void> {
  await transact(db, async (trx) => {
    const { rows } = await sql<StreamFacts>`
      delete from authority.stream where polled_at < clock_timestamp() - make_interval(secs =>
    case when push_endpoint is not null then ${STOPPED_FORGOTTEN_AFTER_SECONDS}::integer
      when max_staleness_ms is null then ${FORGOTTEN_AFTER_SECONDS}::integer
      else greatest(${GATEWAY_FORGOTTEN_AFTER_SECONDS}::integer,
        max_staleness_ms / 1000 + ${GATEWAY_MARGIN_SECONDS}::integer)
    end)
    and (push_endpoint is null or status <> 'enabled')
      returning id as "streamId", receiver`.execute(trx);
    for (const facts of rows) await recordStream(trx, 'stream-removed', facts, FORGOTTEN);
  });
}
