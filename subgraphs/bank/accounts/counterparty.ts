import { type RawBuilder, sql } from 'kysely';

import type { ColumnsOfFields } from '../shared/columns.js';

/** Properties of a transaction or a party that come from the counterparty's row. */
export interface CounterpartyColumns {
  readonly kind?: 'MERCHANT' | 'PERSON';
  readonly displayName?: string;
  readonly city?: string | null;
}

const PLACE = {
  city: { city: sql`p.city` },
  latitude: { latitude: sql`p.latitude` },
  longitude: { longitude: sql`p.longitude` },
};

/** Columns of `bank.counterparty p` for the fields of `Party`'s types, below `path`. */
export function counterpartyColumns(path: '' | 'counterparty.'): ColumnsOfFields {
  const kind = { kind: sql`p.kind` };
  return {
    [`${path}__typename`]: kind,
    [`${path}displayName`]: { ...kind, displayName: sql`p.name` },
    [`${path}category`]: { ...kind, merchantCategory: sql`p.category` },
    [`${path}reference`]: { ...kind, reference: sql`'p-' || p.id` },
    [`${path}iban`]: { ...kind, iban: sql`p.iban` },
    [`${path}place`]: kind,
    ...placeColumns(`${path}place`),
  };
}

/** Columns of `bank.counterparty p` for the fields of a place at `path`. */
export function placeColumns(path: string): ColumnsOfFields {
  return {
    [path]: PLACE.city,
    [`${path}.city`]: PLACE.city,
    [`${path}.location.latitude`]: PLACE.latitude,
    [`${path}.location.longitude`]: PLACE.longitude,
  };
}

/** The join that provides these columns; empty when none of them needs it. */
export function joinCounterparty(
  properties: Iterable<readonly string[]>,
  on: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const needed = new Set([...properties].flat());
  const isNeeded = [...needed].some((property) => COUNTERPARTY_PROPERTIES.has(property));
  return isNeeded ? sql`join bank.counterparty p on p.id = ${on}` : sql``;
}

const COUNTERPARTY_PROPERTIES = new Set(
  Object.values(counterpartyColumns('')).flatMap((properties) => Object.keys(properties)),
);

/** The GraphQL type of a row that has a counterparty's columns. */
export function partyTypeOf({ kind }: CounterpartyColumns): 'Merchant' | 'PrivatePerson' | undefined {
  if (kind === 'MERCHANT') return 'Merchant';
  return kind === 'PERSON' ? 'PrivatePerson' : undefined;
}
