import { type ColumnMapping, defineLoader, requestedColumns } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';
import { sql } from 'kysely';

import { columnList, type RowKey, textOfKey } from '../shared/columns.js';
import type { BankContext } from '../shared/context.js';
import { groupBy } from '../shared/group-by.js';
import { isId } from '../shared/texts.js';

/** An account, with the columns that the operation needs and its caller may see. */
export interface AccountRow {
  readonly id: string;
  readonly holderId: string;
  readonly [property: string]: unknown;
}

const ACCOUNT: ColumnMapping = {
  type: 'Account',
  always: ['id', { column: 'holder_id', as: 'holderId' }],
  columns: {
    id: 'id',
    iban: 'iban',
    balance: { column: 'balance', type: 'numeric' },
    currency: 'currency',
    product: 'product',
    holder: [],
    transactions: [],
    frequentParties: [],
  },
};

const accountsById = defineLoader<BankContext, RowKey, AccountRow | null, string>(
  async (keys, { db }) => {
    const { rows } = await sql<AccountRow>`select ${columnList(keys)}
    from bank.account where id = any(${[...new Set(keys.map(({ id }) => id))]})`.execute(db);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return keys.map(({ id }) => byId.get(id) ?? null);
  },
  { cacheKeyFn: textOfKey },
);

const accountsByHolder = defineLoader<BankContext, RowKey, readonly AccountRow[], string>(
  async (keys, { db }) => {
    const { rows } = await sql<AccountRow>`select ${columnList(keys)}
    from bank.account where holder_id = any(${[...new Set(keys.map(({ id }) => id))]}) order by id`.execute(
      db,
    );
    const byHolder = groupBy(rows, ({ holderId }) => holderId);
    return keys.map(({ id }) => byHolder.get(id) ?? []);
  },
  { cacheKeyFn: textOfKey },
);

/** One query for all accounts of a batch. */
export async function loadAccount(
  id: string,
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<AccountRow | null> {
  if (!isId(id)) return null;
  return accountsById(context).load({ id, columns: requestedColumns(info, context, ACCOUNT) });
}

/** One query for the accounts of all holders of a batch; oldest account first. */
export async function loadAccountsOf(
  holderId: string,
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<readonly AccountRow[]> {
  if (!isId(holderId)) return [];
  return accountsByHolder(context).load({ id: holderId, columns: requestedColumns(info, context, ACCOUNT) });
}
