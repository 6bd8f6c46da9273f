import type { GraphQLResolveInfo } from 'graphql';

import type { BankContext } from '../shared/context.js';
import type { PageArguments } from '../shared/pagination.js';
import { DateTimeScalar, DecimalScalar } from '../shared/scalars.js';
import { loadAccountHolder, loadPayment, loadPayments, type PaymentRow } from './payment.js';
import { startPayment, type StartPaymentInput } from './start-payment.js';

export const resolvers = {
  DateTime: DateTimeScalar,
  Decimal: DecimalScalar,
  Query: {
    payment(_root: unknown, { id }: { id: string }, context: BankContext, info: GraphQLResolveInfo) {
      return loadPayment(id, context, info);
    },
  },
  Mutation: {
    startPayment(_root: unknown, { input }: { input: StartPaymentInput }, { db, delegation }: BankContext) {
      return delegation === undefined ? null : startPayment(db, delegation, input);
    },
  },
  Customer: {
    // This subgraph knows only the key of a customer, which is also what `@subject` compares.
    __resolveReference: ({ id }: { id: string }) => ({ id }),
    payments({ id }: { id: string }, args: PageArguments, context: BankContext, info: GraphQLResolveInfo) {
      return loadPayments('holder', id, args, context, info);
    },
  },
  Account: {
    __resolveReference: ({ id }: { id: string }, context: BankContext) => loadAccountHolder(id, context),
    payments({ id }: { id: string }, args: PageArguments, context: BankContext, info: GraphQLResolveInfo) {
      return loadPayments('account', id, args, context, info);
    },
  },
  Payment: {
    __resolveReference({ id }: { id: string }, context: BankContext, info: GraphQLResolveInfo) {
      return loadPayment(id, context, info);
    },
    account: ({ accountId, holderId }: PaymentRow) => ({ id: accountId, holderId }),
  },
};
