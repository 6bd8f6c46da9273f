import { type ColumnMapping, defineLoader, requestedColumns } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';
import { type RawBuilder, sql } from 'kysely';

import type { BankDatabase } from '../data/index.js';
import { columnList, inUtc, type KeyWithColumns, propertyList, textOfKey } from '../shared/columns.js';
import type { BankContext } from '../shared/context.js';
import {
  type Connection,
  type Page,
  type PageArguments,
  readPage,
  toConnection,
  writeCursor,
} from '../shared/pagination.js';
import { groupBy } from '../shared/group-by.js';
import {
  COUNTERPARTY_FORMAT,
  type CounterpartyColumns,
  counterpartyColumns,
  joinCounterparty,
  KIND,
  placeColumns,
} from './counterparty.js';

/** A transaction, with the columns that the operation needs. */
export interface TransactionRow extends CounterpartyColumns {
  readonly id: string;
  /** Its place in the list. Clients can read cursors, so a cursor must hold nothing that is minimized. */
  readonly number: number;
  readonly [property: string]: unknown;
}

export interface TransactionArguments extends PageArguments {
  readonly category?: string | null;
}

interface TransactionsKey extends KeyWithColumns {
  readonly accountId: string;
  readonly page: Page;
  readonly category: string | null;
}

const CURSOR_KIND = 't';
const CURSOR_FORMS = [/^\d{1,15}$/];

/** The alias of the transactions' accounts in queries. */
const ACCOUNT = 'a';
const TRANSACTION: ColumnMapping = {
  type: 'Transaction',
  always: [
    { column: 'id', table: 't' },
    { column: 'id', table: 't', as: 'number' },
  ],
  columns: {
    id: { column: 'id', table: 't' },
    amount: { column: 'amount', table: 't', type: 'numeric' },
    currency: { column: 'currency', table: ACCOUNT },
    bookedAt: { column: 'booked_at', table: 't', type: 'timestamptz' },
    remittance: { column: 'remittance', table: 't' },
    category: { column: 'category', table: 't' },
    counterparty: [KIND],
    ...counterpartyColumns('counterparty.'),
    ...placeColumns('place'),
  },
};

const FORMAT = {
  ...COUNTERPARTY_FORMAT,
  id: (id: RawBuilder<unknown>) => sql`'t-' || ${id}`,
  bookedAt: inUtc,
};

const transactionsOfAccounts = defineLoader<BankContext, TransactionsKey, readonly TransactionRow[], string>(
  async (keys, { db }) => {
    const alike = groupBy(keys, ({ page, category }) => JSON.stringify({ page, category }));
    const found = new Map<TransactionsKey, readonly TransactionRow[]>();
    await Promise.all(
      [...alike.values()].map(async (group) => {
        const byAccount = await selectTransactions(group, db);
        for (const key of group) found.set(key, byAccount.get(key.accountId) ?? []);
      }),
    );
    return keys.map((key) => found.get(key) ?? []);
  },
  { cacheKeyFn: textOfKey },
);

/** One query for all accounts: the newest rows of each, read from the index. */
async function selectTransactions(
  group: readonly TransactionsKey[],
  db: BankDatabase,
): Promise<Map<string, TransactionRow[]>> {
  const [sample] = group;
  if (sample === undefined) return new Map();
  const { rows } = await sql<TransactionRow & { accountId: string }>`
    select a.id as "accountId", ${propertyList(group, 't')}
    from (
      select account.id ${accountColumns(group)} ${afterTime(sample.page)} from bank.account ${joinAfter(sample.page)}
      where account.id = any(${group.map(({ accountId }) => accountId)})
    ) a
    cross join lateral (
      select ${columnList(group, FORMAT)}, t.booked_at as "sortedBy"
      from bank.transaction t ${joinCounterparty(group, sql`t.counterparty_id`)}
      where t.account_id = a.id ${isAfter(sample.page)} ${isOf(sample.category)}
      order by t.booked_at desc, t.id desc
      limit ${sample.page.first + 1}
    ) t
    order by a.id, "sortedBy" desc, t.number desc`.execute(db);
  return groupBy(rows, ({ accountId }) => accountId);
}

function accountColumns(keys: readonly KeyWithColumns[]): RawBuilder<unknown> {
  const isNeeded = keys.some(({ columns }) => columns.some(({ table }) => table === ACCOUNT));
  return isNeeded ? sql`, currency` : sql``;
}

/** A cursor's transaction counts only on its own account: elsewhere the page would reveal its time. */
function joinAfter({ after }: Page): RawBuilder<unknown> {
  if (after === undefined) return sql``;
  return sql`join bank.transaction last on last.id = ${after[0]}::bigint and last.account_id = account.id`;
}

function afterTime({ after }: Page): RawBuilder<unknown> {
  return after === undefined ? sql`` : sql`, last.booked_at as last_at, last.id as last_id`;
}

function isAfter({ after }: Page): RawBuilder<unknown> {
  return after === undefined ? sql`` : sql`and (t.booked_at, t.id) < (a.last_at, a.last_id)`;
}

function isOf(category: string | null): RawBuilder<unknown> {
  return category === null ? sql`` : sql`and t.category = ${category}`;
}

/**
 * A page of an account's transactions, newest first.
 *
 * @throws GraphQLError `BAD_USER_INPUT` for an invalid page
 */
export async function loadTransactions(
  accountId: string,
  args: TransactionArguments,
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<Connection<TransactionRow>> {
  const page = readPage(args, CURSOR_KIND, CURSOR_FORMS);
  const rows = await transactionsOfAccounts(context).load({
    accountId,
    page,
    category: args.category ?? null,
    columns: requestedColumns(info, context, TRANSACTION, 'edges.node'),
  });
  return toConnection(rows, page, ({ number }) => writeCursor(CURSOR_KIND, [String(number)]));
}
