/**
 * For subgraphs that read PostgreSQL with Kysely: select what `requestedColumns` returns.
 */
import { sql } from 'kysely';
import type { AliasedRawBuilder, RawBuilder } from 'kysely';
import type { RequestedColumn } from './columns/requested-column.js';
import { columnSql } from './columns/postgres/column-sql.js';
import { COLUMN_HOLE } from './columns/postgres/sql-expression.js';
import type { Hole } from './columns/postgres/sql-expression.js';

/** The options of {@link selectColumns}. */
export interface SelectColumnsOptions {
  /** The table, or its alias, that has the columns for which the mapping names none. */
  readonly table?: string;
  /** By property: how a value, whole or generalized, is selected, for example as text. */
  readonly format?: Readonly<Record<string, (value: RawBuilder<unknown>) => RawBuilder<unknown>>>;
}

/**
 * The select list of the columns, each under the name of its property. PostgreSQL itself generalizes what it can do exactly as
 * Behalf does, for columns whose `type` the mapping states; the others are selected whole.
 *
 * @example
 * ```ts
 * import type { RequestedColumn } from '@behalf/directives';
 * import { selectColumns } from '@behalf/directives/kysely';
 * import { sql, type Kysely } from 'kysely';
 *
 * interface Database {
 *   account: { id: string; balance: string; birth_date: string };
 * }
 *
 * export function selectAccounts(db: Kysely<Database>, columns: readonly RequestedColumn[]) {
 *   const format = { birthDate: (value: unknown) => sql`to_char(${value}, 'YYYY-MM-DD')` };
 *   return db.selectFrom('account').select(selectColumns(columns, { format })).execute();
 * }
 * ```
 */
export function selectColumns(
  columns: readonly RequestedColumn[],
  options: SelectColumnsOptions = {},
): AliasedRawBuilder<unknown, string>[] {
  const { format = {} } = options;
  return columns.map((requested) => {
    const { property, table = options.table } = requested;
    const { texts, holes } = columnSql(requested);
    const column = table === undefined ? sql.id(requested.column) : sql.id(table, requested.column);
    const fill = (hole: Hole): RawBuilder<unknown> => (hole === COLUMN_HOLE ? column : sql`${hole.bound}`);
    const parts = texts.flatMap((text, index) => {
      const hole = holes[index];
      return hole === undefined ? [sql.raw(text)] : [sql.raw(text), fill(hole)];
    });
    const value = sql`${sql.join(parts, sql``)}`;
    const formatted = Object.hasOwn(format, property) ? format[property]?.(value) : value;
    return (formatted ?? value).as(property);
  });
}
