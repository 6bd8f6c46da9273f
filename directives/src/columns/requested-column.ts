import type { MinimizationStrategy } from '../minimize/strategies/index.js';
import type { ColumnType } from './column-mapping.js';

/** A column that an operation needs, and that its caller may see. */
export interface RequestedColumn {
  readonly column: string;
  /** As the mapping states it. */
  readonly table?: string | undefined;
  /** The property of the row that the resolvers read. */
  readonly property: string;
  /** As the mapping states it. */
  readonly type?: ColumnType | undefined;
  /** The fields that are read from it, `Type.field`. Empty: it is always selected, or compared by `@subject`. */
  readonly coordinates: readonly string[];
  /** The statement of `@minimize` that applies, if the column is only needed in this detail. Undefined: the whole value. */
  readonly minimize?: MinimizationStrategy | undefined;
  /** What a field that is redacted and cannot be null has in place of a value: select this, and not the column. */
  readonly constant?: string | number | boolean | undefined;
}

/**
 * The columns that one query must select for several keys of a batch. Where they want different detail of a property, it is selected
 * whole.
 *
 * @example
 * ```ts
 * import { defineLoader, mergeColumns, type ProtectedContext, type RequestedColumn } from '@behalf/directives';
 *
 * interface Key {
 *   readonly id: string;
 *   readonly columns: readonly RequestedColumn[];
 * }
 * declare function selectAccounts(ids: string[], columns: readonly RequestedColumn[]): Promise<{ id: string }[]>;
 *
 * export const accountLoader = defineLoader<ProtectedContext, Key, { id: string } | null>(async (keys) => {
 *   const rows = await selectAccounts(keys.map(({ id }) => id), mergeColumns(keys.map(({ columns }) => columns)));
 *   return keys.map(({ id }) => rows.find((row) => row.id === id) ?? null);
 * });
 * ```
 */
export function mergeColumns(lists: Iterable<readonly RequestedColumn[]>): readonly RequestedColumn[] {
  const merged = new Map<string, RequestedColumn>();
  for (const list of new Set(lists)) for (const column of list) addColumn(merged, column);
  return [...merged.values()];
}

/** Adds a column to those of other fields, by property. */
export function addColumn(columns: Map<string, RequestedColumn>, added: RequestedColumn): void {
  const known = columns.get(added.property);
  columns.set(added.property, known === undefined ? added : joined(known, added));
}

function joined(one: RequestedColumn, other: RequestedColumn): RequestedColumn {
  const { column, table, property, type } = one;
  const coordinates = [...new Set([...one.coordinates, ...other.coordinates])];
  const isAlike = detailOf(one) === detailOf(other);
  return isAlike ? { ...one, coordinates } : { column, table, property, type, coordinates };
}

function detailOf({ minimize, constant }: RequestedColumn): string {
  return JSON.stringify([minimize, constant]);
}
