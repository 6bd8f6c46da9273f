import { mergeColumns, type RequestedColumn } from '@behalf/directives';
import { selectColumns, type SelectColumnsOptions } from '@behalf/directives/kysely';
import { type RawBuilder, sql } from 'kysely';

/** What keys of loaders have in common. Loading one row with two sets of columns makes two keys of the same batch. */
export interface KeyWithColumns {
  readonly columns: readonly RequestedColumn[];
}

/** The key of a loader of single rows. */
export interface RowKey extends KeyWithColumns {
  readonly id: string;
}

const numbers = new WeakMap<readonly RequestedColumn[], number>();
let count = 0;

/** A key as text, so that equal keys are loaded once. All rows for which a field is resolved have the same list of columns. */
export function textOfKey({ columns, ...key }: KeyWithColumns): string {
  const number = numbers.get(columns) ?? ++count;
  numbers.set(columns, number);
  return `${number} ${JSON.stringify(key)}`;
}

/** A select list of all columns that any key of a batch needs. */
export function columnList(
  keys: readonly KeyWithColumns[],
  format: SelectColumnsOptions['format'] = {},
): RawBuilder<unknown> {
  const columns = selectColumns(mergeColumns(keys.map((key) => key.columns)), { format });
  return sql.join(columns.map((column) => sql`${column}`));
}

/** The same columns of a subquery, without what it selects besides. */
export function propertyList(keys: readonly KeyWithColumns[], table: string): RawBuilder<unknown> {
  const columns = mergeColumns(keys.map((key) => key.columns));
  return sql.join(columns.map(({ property }) => sql.id(table, property)));
}

/** Texts that the `DateTime` scalar writes. */
export function inUtc(time: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
}
