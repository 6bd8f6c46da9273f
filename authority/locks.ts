import { createHash } from 'node:crypto';

import { sql, type Transaction } from 'kysely';

import type { AuthoritySchema } from './schema.js';

/**
 * The number of rows to lock. Unrelated decisions sometimes share a row, and then wait for each other for some milliseconds. A
 * transaction locks at most one of them, so there is no deadlock.
 */
export const DECISION_LOCKS = 1_024;

/** The kinds of decisions that are serialized. */
export type DecisionKind = 'consent' | 'token' | 'session' | 'suspension';

/**
 * Serializes transactions that decide about the same thing, even if it has no row yet. The lock is on a row that no gateway's
 * role can access, and ends with the transaction.
 */
export async function lockDecision(
  trx: Transaction<AuthoritySchema>,
  kind: DecisionKind,
  ...id: readonly string[]
): Promise<void> {
  // Serialized as JSON, so that distinct lists of names never look alike.
  const digest = createHash('sha256').update(JSON.stringify([kind, ...id]));
  await lockRow(trx, `decision ${digest.digest().readUInt32BE(0) % DECISION_LOCKS}`);
}

/** Prevents other changes to the signing keys until the transaction ends. */
export async function lockSigningKeys(trx: Transaction<AuthoritySchema>): Promise<void> {
  await lockRow(trx, 'signing keys');
}

async function lockRow(trx: Transaction<AuthoritySchema>, name: string): Promise<void> {
  const { rows } = await sql`select from authority.lock where name = ${name} for update`.execute(trx);
  // Without its row, the lock would not exclude anybody.
  if (rows.length !== 1) throw new Error(`The table authority.lock lacks the row "${name}"`);
}
