import { type RawBuilder, sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';

/**
 * Listeners are woken for a change for gateways, an acknowledgement of a change, a consent that may end earlier than known, or an
 * event for the audit log. The PostgreSQL channel has a random name, kept in a table that no gateway's role can read, because any role can notify
 * on a channel that it knows. Notifications carry no payload.
 */
export type Channel = 'change' | 'acknowledged' | 'expiry' | 'audit';

/** An expression for a statement that wakes listeners when the transaction commits. */
export function wakeCall(channel: Channel): RawBuilder<unknown> {
  return sql`authority.wake(${sql.lit(channel)})`;
}

/** Wakes listeners when the transaction commits. */
export async function wake(db: AuthorityDatabase, channel: Channel): Promise<void> {
  await sql`select ${wakeCall(channel)}`.execute(db);
}
