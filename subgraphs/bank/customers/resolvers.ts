import type { GraphQLResolveInfo } from 'graphql';

import { type BankContext, subjectOf } from '../shared/context.js';
import { DateScalar } from '../shared/scalars.js';
import { type CustomerRow, loadCustomer } from './customer.js';

export const resolvers = {
  Date: DateScalar,
  Query: {
    me(_root: unknown, _args: unknown, context: BankContext, info: GraphQLResolveInfo) {
      const subject = subjectOf(context);
      return subject === undefined ? null : loadCustomer(subject, context, info);
    },
    customer(_root: unknown, { id }: { id: string }, context: BankContext, info: GraphQLResolveInfo) {
      return loadCustomer(id, context, info);
    },
  },
  Customer: {
    __resolveReference({ id }: { id: string }, context: BankContext, info: GraphQLResolveInfo) {
      return loadCustomer(id, context, info);
    },
    // The address has no row of its own: its columns are on the customer's row.
    address: (customer: CustomerRow) => customer,
  },
  Address: {
    location: (customer: CustomerRow) => customer,
  },
};
