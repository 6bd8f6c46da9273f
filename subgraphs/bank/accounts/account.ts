import { defineLoader } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';
import { sql } from 'kysely';

import { Columns, readKeys, type RowKey, writeKey } from '../shared/columns.js';
import type { BankContext } from '../shared/context.js';
import { groupBy } from '../shared/group-by.js';
import { requestedFields } from '../shared/selection.js';
import { isId } from '../shared/texts.js';

/** An account, with the columns that the operation needs. */
export interface AccountRow {
  readonly id: string;
  readonly holderId: string;
  readonly [property: string]: unknown;
}

const columns = new Columns(
  { id: sql`id`, holderId: sql`holder_id` },
  {
    iban: { iban: sql`iban` },
    balance: { balance: sql`balance::text` },
    currency: { currency: sql`currency` },
    product: { product: sql`product` },
  },
);

const accountsById = defineLoader<BankContext, string, AccountRow | null>(async (texts, { db }) => {
  const keys = readKeys<RowKey>(texts);
  const { rows } = await sql<AccountRow>`select ${columns.list(keys.map((key) => key.columns))}
    from bank.account where id = any(${[...new Set(keys.map(({ id }) => id))]})`.execute(db);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return keys.map(({ id }) => byId.get(id) ?? null);
});

const accountsByHolder = defineLoader<BankContext, string, readonly AccountRow[]>(async (texts, { db }) => {
  const keys = readKeys<RowKey>(texts);
  const { rows } = await sql<AccountRow>`select ${columns.list(keys.map((key) => key.columns))}
    from bank.account where holder_id = any(${[...new Set(keys.map(({ id }) => id))]}) order by id`.execute(
    db,
  );
  const byHolder = groupBy(rows, ({ holderId }) => holderId);
  return keys.map(({ id }) => byHolder.get(id) ?? []);
});

/** One query for all accounts of a batch. */
export async function loadAccount(
  id: string,
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<AccountRow | null> {
  if (!isId(id)) return null;
  return accountsById(context).load(
    writeKey({ id, columns: columns.for(requestedFields(info)) } satisfies RowKey),
  );
}

/** One query for the accounts of all holders of a batch; oldest account first. */
export async function loadAccountsOf(
  holderId: string,
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<readonly AccountRow[]> {
  if (!isId(holderId)) return [];
  return accountsByHolder(context).load(
    writeKey({ id: holderId, columns: columns.for(requestedFields(info)) } satisfies RowKey),
  );
}
