import { type RawBuilder, sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';

/**
 * What listeners are woken for: a change for gateways, an acknowledgement of one, or a consent that may end at another time
 * than was known. The name of the PostgreSQL channel is random and in a table that no gateway's role can read, because any
 * role can notify on a channel that it knows. A notification carries nothing in any case.
 */
export type Channel = 'change' | 'acknowledged' | 'expiry';

/** Of a statement: wakes those who listen when the transaction commits. */
export function wakeCall(channel: Channel): RawBuilder<unknown> {
  return sql`authority.wake(${sql.lit(channel)})`;
}

/** Wakes those who listen, when the transaction commits. */
export async function wake(db: AuthorityDatabase, channel: Channel): Promise<void> {
  await sql`select ${wakeCall(channel)}`.execute(db);
}
