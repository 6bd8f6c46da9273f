import { type ColumnMapping, defineLoader, requestedColumns } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';
import { type RawBuilder, sql } from 'kysely';

import { columnList, type RowKey, textOfKey } from '../shared/columns.js';
import type { BankContext } from '../shared/context.js';
import { isId } from '../shared/texts.js';

/** A customer, with the columns that the operation needs and its caller may see. */
export interface CustomerRow {
  readonly id: string;
  readonly [property: string]: unknown;
}

const CUSTOMER: ColumnMapping = {
  type: 'Customer',
  always: ['id'],
  columns: {
    id: 'id',
    name: 'name',
    email: 'email',
    phone: 'phone',
    birthDate: { column: 'birth_date', type: 'date' },
    taxId: 'tax_id',
    'address.street': 'street',
    'address.postalCode': { column: 'postal_code', type: 'text' },
    'address.city': 'city',
    'address.country': 'country',
    'address.location.latitude': { column: 'latitude', type: 'double' },
    'address.location.longitude': { column: 'longitude', type: 'double' },
  },
};

const FORMAT = {
  // As text, because the driver would turn it into a time in this process's time zone.
  birthDate: (date: RawBuilder<unknown>) => sql`to_char(${date}, 'YYYY-MM-DD')`,
};

const customersById = defineLoader<BankContext, RowKey, CustomerRow | null, string>(
  async (keys, { db }) => {
    const { rows } = await sql<CustomerRow>`select ${columnList(keys, FORMAT)}
      from bank.customer where id = any(${[...new Set(keys.map(({ id }) => id))]})`.execute(db);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return keys.map(({ id }) => byId.get(id) ?? null);
  },
  { cacheKeyFn: textOfKey },
);

/** One query for all customers of a batch, with every column that any of their selections needs. */
export async function loadCustomer(
  id: string,
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<CustomerRow | null> {
  if (!isId(id)) return null;
  return customersById(context).load({ id, columns: requestedColumns(info, context, CUSTOMER) });
}
