import { requestedColumns } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';

import { columnList } from '../shared/columns.js';
import type { BankContext } from '../shared/context.js';
import type { PageArguments } from '../shared/pagination.js';
import { DateTimeScalar, DecimalScalar } from '../shared/scalars.js';
import {
  loadAccountHolder,
  loadPayment,
  loadPayments,
  PAYMENT,
  PAYMENT_FORMAT,
  type PaymentRow,
} from './payment.js';
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
    startPayment(
      _root: unknown,
      { input }: { input: StartPaymentInput },
      context: BankContext,
      info: GraphQLResolveInfo,
    ) {
      const { db, delegation } = context;
      if (delegation === undefined) return null;
      const columns = requestedColumns(info, context, PAYMENT, 'payment');
      return startPayment(db, delegation, input, columnList([{ columns }], PAYMENT_FORMAT));
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
