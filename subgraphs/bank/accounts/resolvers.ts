import type { GraphQLResolveInfo } from 'graphql';

import { type BankContext, subjectOf } from '../shared/context.js';
import { DateTimeScalar, DecimalScalar } from '../shared/scalars.js';
import { type AccountRow, loadAccount, loadAccountsOf } from './account.js';
import { type CounterpartyColumns, partyTypeOf } from './counterparty.js';
import { loadFrequentParties } from './party.js';
import { loadTransactions, type TransactionArguments, type TransactionRow } from './transaction.js';

const PRODUCTS = ['CURRENT', 'SAVINGS', 'SHARED'];

/** A place has no row of its own: its columns are on the counterparty's row. */
function placeOf<Row extends CounterpartyColumns>(row: Row): Row | null {
  return row.city === null || row.city === undefined ? null : row;
}

export const resolvers = {
  DateTime: DateTimeScalar,
  Decimal: DecimalScalar,
  Query: {
    myAccounts(_root: unknown, _args: unknown, context: BankContext, info: GraphQLResolveInfo) {
      const subject = subjectOf(context);
      return subject === undefined ? null : loadAccountsOf(subject, context, info);
    },
    account(_root: unknown, { id }: { id: string }, context: BankContext, info: GraphQLResolveInfo) {
      return loadAccount(id, context, info);
    },
    accountProducts: () => PRODUCTS,
  },
  Customer: {
    // This subgraph knows only the key of a customer, which is also what `@subject` compares.
    __resolveReference: ({ id }: { id: string }) => ({ id }),
    accounts({ id }: { id: string }, _args: unknown, context: BankContext, info: GraphQLResolveInfo) {
      return loadAccountsOf(id, context, info);
    },
  },
  Account: {
    __resolveReference({ id }: { id: string }, context: BankContext, info: GraphQLResolveInfo) {
      return loadAccount(id, context, info);
    },
    holder: ({ holderId }: AccountRow) => ({ id: holderId }),
    transactions(
      { id }: AccountRow,
      args: TransactionArguments,
      context: BankContext,
      info: GraphQLResolveInfo,
    ) {
      return loadTransactions(id, args, context, info);
    },
    frequentParties(
      { id }: AccountRow,
      args: { first?: number | null },
      context: BankContext,
      info: GraphQLResolveInfo,
    ) {
      return loadFrequentParties(id, args, context, info);
    },
  },
  Transaction: {
    counterparty: (transaction: TransactionRow) => transaction,
    place: placeOf<TransactionRow>,
  },
  Party: { __resolveType: partyTypeOf },
  Counterparty: { __resolveType: partyTypeOf },
  Merchant: {
    category: ({ merchantCategory }: { merchantCategory: unknown }) => merchantCategory,
    place: placeOf<CounterpartyColumns>,
  },
  Place: {
    location: (row: CounterpartyColumns) => row,
  },
};
