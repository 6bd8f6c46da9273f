import { defineLoader } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';
import { type RawBuilder, sql } from 'kysely';

import type { BankDatabase } from '../data/index.js';
import { Columns, readKeys, type RowKey, writeKey } from '../shared/columns.js';
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
import { requestedFields } from '../shared/selection.js';
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

interface PaymentsKey {
  /** The owner of the list: an account or a customer. */
  readonly of: 'account' | 'holder';
  readonly id: string;
  readonly page: Page;
  readonly columns: readonly string[];
}

const CURSOR_KIND = 'p';
const CURSOR_FORMS = [/^\d{1,15}$/];

const always = {
  id: sql`id`,
  holderId: sql`holder_id`,
  accountId: sql`account_id`,
  number: sql`number`,
};
const fields = {
  amount: { amount: sql`amount::text` },
  currency: { currency: sql`currency` },
  creditorName: { creditorName: sql`creditor_name` },
  creditorIban: { creditorIban: sql`creditor_iban` },
  remittance: { remittance: sql`remittance` },
  createdAt: { createdAt: sql`to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')` },
};
const columns = new Columns(always, fields);
const NODE = 'edges.node';

/** The select list of a whole payment. */
export const PAYMENT_COLUMNS: RawBuilder<unknown> = columns.list([columns.for(new Set(Object.keys(fields)))]);

const paymentsById = defineLoader<BankContext, string, PaymentRow | null>(async (texts, { db }) => {
  const keys = readKeys<RowKey>(texts);
  const { rows } = await sql<PaymentRow>`select ${columns.list(keys.map((key) => key.columns))}
    from bank.payment where id = any(${[...new Set(keys.map(({ id }) => id))]})`.execute(db);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return keys.map(({ id }) => byId.get(id) ?? null);
});

const paymentLists = defineLoader<BankContext, string, readonly PaymentRow[]>(async (texts, { db }) => {
  const keys = readKeys<PaymentsKey>(texts);
  const found = new Map<PaymentsKey, readonly PaymentRow[]>();
  await Promise.all(
    [...groupBy(keys, ({ of, page }) => writeKey({ of, page })).values()].map(async (group) => {
      const byOwner = await selectPayments(group, db);
      for (const key of group) found.set(key, byOwner.get(key.id) ?? []);
    }),
  );
  return keys.map((key) => found.get(key) ?? []);
});

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
      select ${columns.list(group.map((key) => key.columns))} from bank.payment
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
  return paymentsById(context).load(
    writeKey({ id, columns: columns.for(requestedFields(info)) } satisfies RowKey),
  );
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
  const asked = [...requestedFields(info, 'edges', NODE)]
    .filter((field) => field.startsWith(`${NODE}.`))
    .map((field) => field.slice(NODE.length + 1));
  const rows = await paymentLists(context).load(
    writeKey({ of, id, page, columns: columns.for(new Set(asked)) } satisfies PaymentsKey),
  );
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
