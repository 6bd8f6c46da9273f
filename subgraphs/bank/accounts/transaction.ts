import { defineLoader } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';
import { type RawBuilder, sql } from 'kysely';

import type { BankDatabase } from '../data/index.js';
import { Columns, readKeys, writeKey } from '../shared/columns.js';
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
import { requestedFields } from '../shared/selection.js';
import {
  type CounterpartyColumns,
  counterpartyColumns,
  joinCounterparty,
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

interface TransactionsKey {
  readonly accountId: string;
  readonly page: Page;
  readonly category: string | null;
  readonly columns: readonly string[];
}

const CURSOR_KIND = 't';
const CURSOR_FORMS = [/^\d{1,15}$/];

const NODE = 'edges.node';
const columns = new Columns(
  {
    id: sql`'t-' || t.id`,
    number: sql`t.id`,
  },
  withPrefix(`${NODE}.`, {
    amount: { amount: sql`t.amount::text` },
    currency: { currency: sql`a.currency` },
    bookedAt: { bookedAt: sql`to_char(t.booked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')` },
    remittance: { remittance: sql`t.remittance` },
    category: { category: sql`t.category` },
    counterparty: { kind: sql`p.kind` },
    ...counterpartyColumns('counterparty.'),
    ...placeColumns('place'),
  }),
);

function withPrefix<Value>(prefix: string, fields: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [prefix + field, value]));
}

const PATHS = [
  'edges',
  NODE,
  `${NODE}.counterparty`,
  `${NODE}.counterparty.place`,
  `${NODE}.counterparty.place.location`,
  `${NODE}.place`,
  `${NODE}.place.location`,
];

const transactionsOfAccounts = defineLoader<BankContext, string, readonly TransactionRow[]>(
  async (texts, { db }) => {
    const keys = readKeys<TransactionsKey>(texts);
    const alike = groupBy(keys, ({ page, category }) => writeKey({ page, category }));
    const found = new Map<TransactionsKey, readonly TransactionRow[]>();
    await Promise.all(
      [...alike.values()].map(async (group) => {
        const byAccount = await selectTransactions(group, db);
        for (const key of group) found.set(key, byAccount.get(key.accountId) ?? []);
      }),
    );
    return keys.map((key) => found.get(key) ?? []);
  },
);

/** One query for all accounts: the newest rows of each, read from the index. */
async function selectTransactions(
  group: readonly TransactionsKey[],
  db: BankDatabase,
): Promise<Map<string, TransactionRow[]>> {
  const [sample] = group;
  if (sample === undefined) return new Map();
  const asked = group.map((key) => key.columns);
  const { rows } = await sql<TransactionRow & { accountId: string }>`
    select a.id as "accountId", t.*
    from (
      select account.id, currency ${afterTime(sample.page)} from bank.account ${joinAfter(sample.page)}
      where account.id = any(${group.map(({ accountId }) => accountId)})
    ) a
    cross join lateral (
      select ${columns.list(asked)}, t.booked_at as "sortedBy"
      from bank.transaction t ${joinCounterparty(asked, sql`t.counterparty_id`)}
      where t.account_id = a.id ${isAfter(sample.page)} ${isOf(sample.category)}
      order by t.booked_at desc, t.id desc
      limit ${sample.page.first + 1}
    ) t
    order by a.id, "sortedBy" desc, t.number desc`.execute(db);
  return groupBy(rows, ({ accountId }) => accountId);
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
  const rows = await transactionsOfAccounts(context).load(
    writeKey({
      accountId,
      page,
      category: args.category ?? null,
      columns: columns.for(requestedFields(info, ...PATHS)),
    } satisfies TransactionsKey),
  );
  return toConnection(rows, page, ({ number }) => writeCursor(CURSOR_KIND, [String(number)]));
}
