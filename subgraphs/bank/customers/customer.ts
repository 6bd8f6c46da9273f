import { defineLoader } from '@behalf/directives';
import type { GraphQLResolveInfo } from 'graphql';
import { sql } from 'kysely';

import { Columns, readKeys, type RowKey, writeKey } from '../shared/columns.js';
import type { BankContext } from '../shared/context.js';
import { requestedFields } from '../shared/selection.js';
import { isId } from '../shared/texts.js';

/** A customer, with the columns that the operation needs. */
export interface CustomerRow {
  readonly id: string;
  readonly [property: string]: unknown;
}

const columns = new Columns(
  { id: sql`id` },
  {
    name: { name: sql`name` },
    email: { email: sql`email` },
    phone: { phone: sql`phone` },
    // As text, because the driver would turn it into a time in this process's time zone.
    birthDate: { birthDate: sql`to_char(birth_date, 'YYYY-MM-DD')` },
    taxId: { taxId: sql`tax_id` },
    'address.street': { street: sql`street` },
    'address.postalCode': { postalCode: sql`postal_code` },
    'address.city': { city: sql`city` },
    'address.country': { country: sql`country` },
    'address.location.latitude': { latitude: sql`latitude` },
    'address.location.longitude': { longitude: sql`longitude` },
  },
);

const customersById = defineLoader<BankContext, string, CustomerRow | null>(async (texts, { db }) => {
  const keys = readKeys<RowKey>(texts);
  const { rows } = await sql<CustomerRow>`select ${columns.list(keys.map((key) => key.columns))}
      from bank.customer where id = any(${[...new Set(keys.map(({ id }) => id))]})`.execute(db);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return keys.map(({ id }) => byId.get(id) ?? null);
});

/** One query for all customers of a batch, with every column that any of their selections needs. */
export async function loadCustomer(
  id: string,
  context: BankContext,
  info: GraphQLResolveInfo,
): Promise<CustomerRow | null> {
  if (!isId(id)) return null;
  const fields = requestedFields(info, 'address', 'address.location');
  return customersById(context).load(writeKey({ id, columns: columns.for(fields) } satisfies RowKey));
}
