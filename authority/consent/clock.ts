import { type Kysely, sql, type Transaction } from 'kysely';

import type { AuthoritySchema } from '../schema.js';

/** The PostgreSQL channel that says "a consent may end at another time than was known"; it carries nothing. */
export const EXPIRY_CHANNEL = 'behalf_authority_expiry';

/** The database's time, which all instances share. In whole milliseconds, as everything that is read back. */
export async function databaseNow(trx: Kysely<AuthoritySchema>): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(trx);
  const [row] = rows;
  if (row === undefined) throw new TypeError('The database did not tell the time');
  return row.now;
}

/** Wakes whoever waits for the next consent to end, when this transaction commits. */
export async function announceEnd(trx: Transaction<AuthoritySchema>): Promise<void> {
  await sql`select pg_notify(${EXPIRY_CHANNEL}, '')`.execute(trx);
}

/** Decisions about one person's consents for one client come one after the other, until this transaction ends. */
export async function lockDecision(
  trx: Transaction<AuthoritySchema>,
  subject: string,
  clientId: string,
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${subject} ${clientId}`}, 0))`.execute(trx);
}
