import { createHash } from 'node:crypto';

import { sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';

import { isIban } from '../../subgraphs/bank/data/iban.js';
import { DEFAULT_SEED, migrateBank, prepareBank, seedBank } from '../../subgraphs/bank/data/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const SMALL = { customers: 20, accounts: 60, transactions: 3_000 };

const databases: TestDatabase<unknown>[] = [];
async function newDatabase(): Promise<TestDatabase<unknown>> {
  const database = await createTestDatabase<unknown>();
  databases.push(database);
  return database;
}
afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
});

async function fingerprint({ db }: TestDatabase<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for (const table of ['customer', 'account', 'counterparty', 'transaction']) {
    const { rows } = await sql`select to_jsonb(t) as row from bank.${sql.ref(table)} t order by t.id`.execute(
      db,
    );
    hash.update(JSON.stringify(rows));
  }
  return hash.digest('hex');
}

describe('the bank', () => {
  it('has the same rows for the same seed, others for another', async () => {
    const [one, two, other] = await Promise.all([newDatabase(), newDatabase(), newDatabase()]);
    await prepareBank(one.db, SMALL);
    await prepareBank(two.db, SMALL);
    await prepareBank(other.db, { ...SMALL, seed: 1 });
    expect(await fingerprint(two)).toBe(await fingerprint(one));
    expect(await fingerprint(other)).not.toBe(await fingerprint(one));
  });

  it('is filled consistently, and not again', async () => {
    const database = await newDatabase();
    const { db } = database;
    await migrateBank(db);
    expect(await seedBank(db)).toBe(true);
    expect(await seedBank(db)).toBe(false);

    const counts = await sql`select (select count(*) from bank.customer) as customers,
      (select count(*) from bank.account) as accounts, (select count(*) from bank.transaction) as transactions,
      (select count(*) from bank.account where balance <> (
        select sum(amount) from bank.transaction t where t.account_id = account.id)) as unbalanced,
      (select min(running) from (select sum(amount) over (partition by account_id order by booked_at, id) as running
        from bank.transaction) r) >= 0 as never_overdrawn`.execute(db);
    expect(counts.rows).toEqual([
      {
        customers: DEFAULT_SEED.customers,
        accounts: DEFAULT_SEED.accounts,
        transactions: DEFAULT_SEED.transactions,
        unbalanced: 0,
        never_overdrawn: true,
      },
    ]);
    const known = await sql<{ id: string; name: string; accounts: number; transactions: number }>`
      select c.id, c.name, count(distinct a.id) as accounts, count(t.id) as transactions
      from bank.customer c join bank.account a on a.holder_id = c.id join bank.transaction t on t.account_id = a.id
      where c.id in ('c-000001', 'c-000002') group by c.id, c.name order by c.id`.execute(db);
    expect(known.rows).toEqual([
      { id: 'c-000001', name: 'Alma Lindqvist', accounts: 3, transactions: 340 },
      { id: 'c-000002', name: 'Noor Haddad', accounts: 2, transactions: 230 },
    ]);
    const { rows } = await sql<{ iban: string }>`select iban from bank.account
      union all select iban from bank.counterparty where iban is not null`.execute(db);
    expect(rows.every(({ iban }) => isIban(iban))).toBe(true);
  });

  it('is filled once when several processes start together', async () => {
    const { db } = await newDatabase();
    const filled = await Promise.all(Array.from({ length: 4 }, () => prepareBank(db, SMALL)));
    expect(filled.filter(Boolean)).toHaveLength(1);
  });

  it('is empty after an aborted filling, and can be filled then', async () => {
    const { db } = await newDatabase();
    await migrateBank(db);
    await sql`alter table bank.transaction add constraint broken check (id < 1000)`.execute(db);
    await expect(seedBank(db, SMALL)).rejects.toThrow();
    const { rows } = await sql`select from bank.customer`.execute(db);
    expect(rows).toHaveLength(0);
    await sql`alter table bank.transaction drop constraint broken`.execute(db);
    expect(await seedBank(db, SMALL)).toBe(true);
  });
});
