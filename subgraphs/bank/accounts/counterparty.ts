import type { ColumnMapping } from '@behalf/directives';
import { type RawBuilder, sql } from 'kysely';

import type { KeyWithColumns } from '../shared/columns.js';

/** Properties of a transaction or a party that come from the counterparty's row. */
export interface CounterpartyColumns {
  readonly kind?: 'MERCHANT' | 'PERSON';
  readonly displayName?: string;
  readonly city?: string | null;
}

type Columns = ColumnMapping['columns'];

/** The alias of `bank.counterparty` in queries. */
const TABLE = 'p';
export const KIND = { column: 'kind', table: TABLE };
const CITY = { column: 'city', table: TABLE };

/** Columns of `bank.counterparty` for the fields of `Party`'s types, below `path`. */
export function counterpartyColumns(path: '' | 'counterparty.'): Columns {
  return {
    [`${path}__typename`]: [KIND],
    [`${path}displayName`]: { column: 'name', table: TABLE, type: 'text' },
    [`${path}category`]: { column: 'category', table: TABLE, as: 'merchantCategory' },
    [`${path}reference`]: { column: 'id', table: TABLE },
    [`${path}iban`]: { column: 'iban', table: TABLE },
    ...placeColumns(`${path}place`),
  };
}

/** Columns of `bank.counterparty` for a place at `path`, and its fields. */
export function placeColumns(path: string): Columns {
  return {
    [path]: [CITY],
    [`${path}.city`]: CITY,
    [`${path}.location.latitude`]: { column: 'latitude', table: TABLE, type: 'double' },
    [`${path}.location.longitude`]: { column: 'longitude', table: TABLE, type: 'double' },
  };
}

/** How `reference` is selected. */
export const COUNTERPARTY_FORMAT = {
  reference: (id: RawBuilder<unknown>): RawBuilder<unknown> => sql`'p-' || ${id}`,
};

/** The join that provides these columns; empty when no key of a batch needs it. */
export function joinCounterparty(
  keys: readonly KeyWithColumns[],
  on: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const isNeeded = keys.some(({ columns }) => columns.some(({ table }) => table === TABLE));
  return isNeeded ? sql`join bank.counterparty p on p.id = ${on}` : sql``;
}

/** The GraphQL type of a row that has a counterparty's columns. */
export function partyTypeOf({ kind }: CounterpartyColumns): 'Merchant' | 'PrivatePerson' | undefined {
  if (kind === 'MERCHANT') return 'Merchant';
  return kind === 'PERSON' ? 'PrivatePerson' : undefined;
}
