import { type Kysely, sql } from 'kysely';

import { DEFAULT_SEED, type SeedOptions } from './seed-options.js';

/**
 * Fills an empty bank, all or nothing. The same options give the same rows on any day. A bank that was filled before is left as
 * it is, whatever the options, because people may have paid from its accounts.
 *
 * @returns whether this call filled it
 * @throws RangeError for fewer than 2 customers or 5 accounts
 */
export async function seedBank<Schema>(
  db: Kysely<Schema>,
  options: Partial<SeedOptions> = {},
): Promise<boolean> {
  if (await isSeeded(db)) return false;
  // Loaded only when needed: most starts find the bank filled.
  const { generateBank, writeBank } = await import('./generator.js');
  const sizes = { ...DEFAULT_SEED, ...options };
  return db.transaction().execute(async (trx) => {
    // Another process may be filling it, which takes longer than the usual lock timeout.
    await sql`set local lock_timeout = '120s'`.execute(trx);
    await sql`set local statement_timeout = '120s'`.execute(trx);
    await sql`lock table bank.seed in share row exclusive mode`.execute(trx);
    if (await isSeeded(trx)) return false;
    await writeBank(trx, generateBank(sizes));
    await sql`insert into bank.seed (seed, customers, accounts, transactions)
      values (${sizes.seed}, ${sizes.customers}, ${sizes.accounts}, ${sizes.transactions})`.execute(trx);
    return true;
  });
}

async function isSeeded<Schema>(db: Kysely<Schema>): Promise<boolean> {
  const { rows } = await sql`select from bank.seed`.execute(db);
  return rows.length > 0;
}
