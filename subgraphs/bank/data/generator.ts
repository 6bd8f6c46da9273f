import { type Kysely, type RawBuilder, sql } from 'kysely';

import { makeIban } from './iban.js';
import { bookAccount, Counterparties, TransactionColumns } from './ledger.js';
import { type CustomerRow, makeCustomers, makePools } from './people.js';
import { Random } from './random.js';
import type { SeedOptions } from './seed-options.js';

interface AccountRow {
  readonly id: string;
  readonly holderId: string;
  readonly iban: string;
  readonly currency: string;
  readonly product: string;
  readonly balanceCents: number;
}

export interface GeneratedBank {
  readonly customers: readonly CustomerRow[];
  readonly accounts: readonly AccountRow[];
  readonly counterparties: Counterparties;
  readonly transactions: TransactionColumns;
}

/** The demo's people have several accounts each; the first has enough transactions to explore. */
const KNOWN_ACCOUNTS = [3, 2];
const KNOWN_TRANSACTIONS = [240, 60, 40, 180, 50];
const MERCHANTS = 320;
const PERSONS = 400;

/** @throws RangeError for an impossible size */
export function generateBank({ seed, ...sizes }: SeedOptions): GeneratedBank {
  if (sizes.customers < KNOWN_ACCOUNTS.length || sizes.accounts < KNOWN_TRANSACTIONS.length) {
    throw new RangeError('A bank has at least 2 customers and 5 accounts');
  }
  const random = new Random(seed);
  const pools = makePools(seed);
  const customers = makeCustomers(sizes.customers, pools, random);
  const counterparties = new Counterparties(MERCHANTS, PERSONS, pools, random);
  const transactions = new TransactionColumns();
  const counts = countTransactions(sizes.accounts, sizes.transactions);
  const accounts = holders(customers, sizes.accounts).map((holder, index): AccountRow => {
    const isFirst = index === 0 || index === KNOWN_ACCOUNTS[0];
    const product = isFirst ? 'CURRENT' : random.pick(['CURRENT', 'CURRENT', 'SAVINGS', 'SHARED']);
    const currency = isFirst || random.next() < 0.9 ? 'EUR' : random.pick(['SEK', 'CHF']);
    return {
      id: accountId(index),
      holderId: holder.id,
      iban: makeIban('FI', `799779${String(10_000_000 + index * 13).slice(-8)}`),
      currency,
      product,
      balanceCents: bookAccount(
        transactions,
        { index, isSavings: product === 'SAVINGS' },
        counts[index] ?? 0,
        counterparties,
        random,
      ),
    };
  });
  return { customers, accounts, counterparties, transactions };
}

function accountId(index: number): string {
  return `a-${String(index + 1).padStart(6, '0')}`;
}

function holders(customers: readonly CustomerRow[], accounts: number): CustomerRow[] {
  const known = KNOWN_ACCOUNTS.flatMap((count, index) =>
    Array.from({ length: count }, () => customers[index]).filter((customer) => customer !== undefined),
  );
  const others = customers.slice(KNOWN_ACCOUNTS.length);
  for (let index = 0; known.length < accounts; index++) {
    const holder = others[index % others.length] ?? customers[index % customers.length];
    if (holder !== undefined) known.push(holder);
  }
  return known;
}

/** The demo's accounts first, the rest spread evenly over the others; exactly `total` in all. */
function countTransactions(accounts: number, total: number): number[] {
  const share = Math.min(1, total / 2 / KNOWN_TRANSACTIONS.reduce((sum, count) => sum + count, 0));
  const counts = KNOWN_TRANSACTIONS.map((count) => Math.floor(count * share));
  let left = total - counts.reduce((sum, count) => sum + count, 0);
  for (let rest = accounts - counts.length; rest > 0; rest--) {
    const count = Math.floor(left / rest);
    counts.push(count);
    left -= count;
  }
  counts[0] = (counts[0] ?? 0) + left;
  return counts;
}

const ROWS_A_STATEMENT = 50_000;

/** Writes all rows; the caller opens the transaction. */
export async function writeBank<Schema>(db: Kysely<Schema>, bank: GeneratedBank): Promise<void> {
  const { customers, accounts, counterparties, transactions } = bank;
  await sql`insert into bank.customer (id, name, email, phone, birth_date, street, postal_code, city, country,
      latitude, longitude, tax_id)
    select * from unnest(
      ${texts(customers.map((row) => row.id))}, ${texts(customers.map((row) => row.name))},
      ${texts(customers.map((row) => row.email))}, ${texts(customers.map((row) => row.phone))},
      ${array(customers.map((row) => row.birthDate))}::date[], ${texts(customers.map((row) => row.street))},
      ${texts(customers.map((row) => row.postalCode))}, ${texts(customers.map((row) => row.city))},
      ${texts(customers.map((row) => row.country))}, ${numbers(customers.map((row) => row.latitude))},
      ${numbers(customers.map((row) => row.longitude))}, ${texts(customers.map((row) => row.taxId))})`.execute(
    db,
  );
  await sql`insert into bank.account (id, holder_id, iban, currency, product, balance)
    select id, holder_id, iban, currency, product, cents / 100 from unnest(
      ${texts(accounts.map((row) => row.id))}, ${texts(accounts.map((row) => row.holderId))},
      ${texts(accounts.map((row) => row.iban))}, ${texts(accounts.map((row) => row.currency))},
      ${texts(accounts.map((row) => row.product))},
      ${array(accounts.map((row) => row.balanceCents))}::numeric[])
      as row (id, holder_id, iban, currency, product, cents)`.execute(db);
  const { rows } = counterparties;
  await sql`insert into bank.counterparty (id, kind, name, category, city, latitude, longitude, iban)
    select * from unnest(
      ${array(rows.map((row) => row.id))}::integer[], ${texts(rows.map((row) => row.kind))},
      ${texts(rows.map((row) => row.name))}, ${texts(rows.map((row) => row.category))},
      ${texts(rows.map((row) => row.city))}, ${numbers(rows.map((row) => row.latitude))},
      ${numbers(rows.map((row) => row.longitude))}, ${texts(rows.map((row) => row.iban))})`.execute(db);
  await sql`select setval(pg_get_serial_sequence('bank.counterparty', 'id'), ${rows.length})`.execute(db);
  // Foreign keys are checked once for all rows instead of once per row, which halves the time.
  await sql`alter table bank.transaction drop constraint transaction_account_id_fkey,
    drop constraint transaction_counterparty_id_fkey`.execute(db);
  await writeTransactions(db, accounts, transactions);
  await sql`alter table bank.transaction
    add constraint transaction_account_id_fkey foreign key (account_id) references bank.account,
    add constraint transaction_counterparty_id_fkey foreign key (counterparty_id) references bank.counterparty`.execute(
    db,
  );
  // Until the next automatic analysis, the planner would assume that the tables are empty.
  await sql`analyze bank.customer, bank.account, bank.counterparty, bank.transaction`.execute(db);
}

async function writeTransactions<Schema>(
  db: Kysely<Schema>,
  accounts: readonly AccountRow[],
  columns: TransactionColumns,
): Promise<void> {
  const ids = accounts.map((row) => row.id);
  for (let start = 0; start < columns.cents.length; start += ROWS_A_STATEMENT) {
    const end = start + ROWS_A_STATEMENT;
    await sql`insert into bank.transaction (account_id, booked_at, amount, category, counterparty_id, remittance)
      select account_id, to_timestamp(booked_at), cents / 100, category, counterparty_id, remittance from unnest(
        ${texts(columns.account.slice(start, end).map((index) => ids[index] ?? null))},
        ${array(columns.bookedAtSeconds.slice(start, end))}::bigint[],
        ${array(columns.cents.slice(start, end))}::numeric[],
        ${texts(columns.category.slice(start, end))},
        ${array(columns.counterparty.slice(start, end))}::integer[],
        ${texts(columns.remittance.slice(start, end))})
        as row (account_id, booked_at, cents, category, counterparty_id, remittance)`.execute(db);
  }
}

function texts(values: readonly (string | null)[]): RawBuilder<unknown> {
  return sql`${literal(values.map((value) => (value === null ? 'null' : quoted(value))))}::text[]`;
}

function numbers(values: readonly (number | null)[]): RawBuilder<unknown> {
  return sql`${literal(values.map((value) => value ?? 'null'))}::double precision[]`;
}

/** An array of values that need no quotes. */
function array(values: readonly (number | string)[]): RawBuilder<unknown> {
  return sql`${literal(values)}`;
}

/** An array in PostgreSQL's own notation: one parameter, several times faster than the driver's conversion. */
function literal(values: readonly (number | string)[]): string {
  return `{${values.join(',')}}`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
