import { type Kysely, sql, type Transaction } from 'kysely';

import { wake } from '../changes/channels.js';
import type { AuthoritySchema } from '../schema.js';

/** The database's time, which all instances share, in whole milliseconds like every stored time that is read back. */
export async function databaseNow(trx: Kysely<AuthoritySchema>): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(trx);
  const [row] = rows;
  if (row === undefined) throw new TypeError('The database did not tell the time');
  return row.now;
}

/** Wakes those who wait for the next consent to end, when this transaction commits. */
export async function announceEnd(trx: Transaction<AuthoritySchema>): Promise<void> {
  await wake(trx, 'expiry');
}
