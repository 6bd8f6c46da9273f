import { type ColumnMapping, defineLoader, requestedColumns } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';
import { sql } from 'kysely';

import type { BankDatabase } from '../data/index.js';
import { columnList, inUtc, type KeyWithColumns, type RowKey, textOfKey } from '../shared/columns.js';
import type { BankContext } from '../shared/context.js';
import { groupBy } from '../shared/group-by.js';
import {
  type Connection,
  type Page,
  type PageArguments,
  readPage,
  toConnection,
  writeCursor,
} from '../shared/pagination.js';
import { isId } from '../shared/texts.js';

/** A payment, with the columns that the operation needs. */
export interface PaymentRow {
  readonly id: string;
  readonly holderId: string;
  readonly accountId: string;
  /** Its position in the list. */
  readonly number: number;
  readonly [property: string]: unknown;
}

interface PaymentsKey extends KeyWithColumns {
  /** The owner of the list: an account or a customer. */
  readonly of: 'account' | 'holder';
  readonly id: string;
  readonly page: Page;
}

const CURSOR_KIND = 'p';
const CURSOR_FORMS = [/^\d{1,15}$/];

export const PAYMENT: ColumnMapping = {
  type: 'Payment',
  always: [
    'id',
    { column: 'holder_id', as: 'holderId' },
    { column: 'account_id', as: 'accountId' },
    'number',
  ],
  columns: {
    id: 'id',
    amount: 'amount',
    currency: 'currency',
    creditorName: 'creditor_name',
    creditorIban: 'creditor_iban',
    remittance: 'remittance',
    createdAt: 'created_at',
    account: [],
  },
};

export const PAYMENT_FORMAT = { createdAt: inUtc };

const paymentsById = defineLoader<BankContext, RowKey, PaymentRow | null, string>(
  async (keys, { db }) => {
    const { rows } = await sql<PaymentRow>`select ${columnList(keys, PAYMENT_FORMAT)}
    from bank.payment where id = any(${[...new Set(keys.map(({ id }) => id))]})`.execute(db);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return keys.map(({ id }) => byId.get(id) ?? null);
  },
  { cacheKeyFn: textOfKey },
);

const paymentLists = defineLoader<BankContext, PaymentsKey, readonly PaymentRow[], string>(
  async (keys, { db }) => {
    const found = new Map<PaymentsKey, readonly PaymentRow[]>();
    await Promise.all(
      [...groupBy(keys, ({ of, page }) => JSON.stringify({ of, page })).values()].map(async (group) => {
        const byOwner = await selectPayments(group, db);
        for (const key of group) found.set(key, byOwner.get(key.id) ?? []);
      }),
    );
    return keys.map((key) => found.get(key) ?? []);
  },
  { cacheKeyFn: textOfKey },
);

/** One query for all accounts, or all customers, of which the same page is requested. */
async function selectPayments(
  group: readonly PaymentsKey[],
  db: BankDatabase,
): Promise<Map<string, PaymentRow[]>> {
  const [sample] = group;
  if (sample === undefined) return new Map();
  const owner = sample.of === 'account' ? sql`account_id` : sql`holder_id`;
  const { after } = sample.page;
  const { rows } = await sql<PaymentRow & { ownerId: string }>`
    select owner.id as "ownerId", payment.*
    from unnest(${[...new Set(group.map(({ id }) => id))]}::text[]) as owner (id)
    cross join lateral (
      select ${columnList(group, PAYMENT_FORMAT)} from bank.payment
      where ${owner} = owner.id ${after === undefined ? sql`` : sql`and number < ${after[0]}::bigint`}
      order by number desc
      limit ${sample.page.first + 1}
    ) payment
    order by owner.id, payment.number desc`.execute(db);
  return groupBy(rows, ({ ownerId }) => ownerId);
}

export async function loadPayment(
  id: string,
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<PaymentRow | null> {
  if (!isId(id)) return null;
  return paymentsById(context).load({ id, columns: requestedColumns(info, context, PAYMENT) });
}

/**
 * A page of the payments from an account, or of a customer; newest first.
 *
 * @throws GraphQLError `BAD_USER_INPUT` for an invalid page
 */
export async function loadPayments(
  of: 'account' | 'holder',
  id: string,
  args: PageArguments,
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<Connection<PaymentRow>> {
  const page = readPage(args, CURSOR_KIND, CURSOR_FORMS);
  const columns = requestedColumns(info, context, PAYMENT, 'edges.node');
  const rows = await paymentLists(context).load({ of, id, page, columns });
  return toConnection(rows, page, ({ number }) => writeCursor(CURSOR_KIND, [String(number)]));
}

/** The holder of an account, which is all that the payments subgraph needs to know of it. */
const accountHolders = defineLoader<BankContext, string, { id: string; holderId: string } | null>(
  async (ids, { db }) => {
    const { rows } = await sql<{ id: string; holderId: string }>`
      select id, holder_id as "holderId" from bank.account where id = any(${[...ids]})`.execute(db);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  },
);

export async function loadAccountHolder(
  id: string,
  context: BankContext,
): Promise<{ id: string; holderId: string } | null> {
  if (!isId(id)) return null;
  return accountHolders(context).load(id);
}
