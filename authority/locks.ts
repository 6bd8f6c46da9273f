import { createHash } from 'node:crypto';

import { sql, type Transaction } from 'kysely';

import type { AuthoritySchema } from './schema.js';

/**
 * Decisions about different things share a row now and then, and then wait for each other for some milliseconds. A
 * transaction takes one of them at most, so that they cannot wait in a circle.
 */
export const DECISION_LOCKS = 1_024;

/** What is decided one after the other, and by what it is told apart. */
export type DecisionKind = 'consent' | 'token' | 'session' | 'suspension';

/**
 * Two transactions that decide about the same thing come one after the other, also where there is no row of it yet. The
 * lock is on a row that no gateway's role can touch, and ends with the transaction.
 */
export async function lockDecision(
  trx: Transaction<AuthoritySchema>,
  kind: DecisionKind,
  ...id: readonly string[]
): Promise<void> {
  // As JSON, so that no two lists of names are written alike.
  const digest = createHash('sha256').update(JSON.stringify([kind, ...id]));
  await lockRow(trx, `decision ${digest.digest().readUInt32BE(0) % DECISION_LOCKS}`);
}

/** Nobody else changes the signing keys until the transaction ends. */
export async function lockSigningKeys(trx: Transaction<AuthoritySchema>): Promise<void> {
  await lockRow(trx, 'signing keys');
}

async function lockRow(trx: Transaction<AuthoritySchema>, name: string): Promise<void> {
  const { rows } = await sql`select from authority.lock where name = ${name} for update`.execute(trx);
  // Without its row a lock would let everybody in.
  if (rows.length !== 1) throw new Error(`The table authority.lock has lost the row "${name}"`);
}
