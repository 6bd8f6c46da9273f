/**
 * For subgraphs that read PostgreSQL with Knex: select what `requestedColumns` returns.
 */
import type { Knex } from 'knex';
import type { RequestedColumn } from './columns/requested-column.js';
import { columnSql } from './columns/postgres/column-sql.js';
import { COLUMN_HOLE } from './columns/postgres/sql-expression.js';
import type { Hole } from './columns/postgres/sql-expression.js';

/** The options of {@link selectColumns}. */
export interface SelectColumnsOptions {
  /** The table, or its alias, that has the columns for which the mapping names none. */
  readonly table?: string;
  /** By property: how a value, whole or generalized, is selected, for example as text. */
  readonly format?: Readonly<Record<string, (value: Knex.Raw) => Knex.Raw>>;
}

/**
 * The select list of the columns, each under the name of its property. PostgreSQL itself generalizes what it can do exactly as
 * Behalf does, for columns whose `type` the mapping states; the others are selected whole.
 *
 * @example
 * ```ts
 * import type { RequestedColumn } from '@behalf/directives';
 * import { selectColumns } from '@behalf/directives/knex';
 * import type { Knex } from 'knex';
 *
 * export function selectAccounts(knex: Knex, columns: readonly RequestedColumn[]): Promise<unknown[]> {
 *   const format = { birthDate: (value: Knex.Raw) => knex.raw(`to_char(?, 'YYYY-MM-DD')`, [value]) };
 *   return knex('account').select(selectColumns(knex, columns, { format }));
 * }
 * ```
 */
export function selectColumns(
  knex: Pick<Knex, 'raw'>,
  columns: readonly RequestedColumn[],
  options: SelectColumnsOptions = {},
): Knex.Raw[] {
  const { format = {} } = options;
  return columns.map((requested) => {
    const { property, table = options.table } = requested;
    const { texts, holes } = columnSql(requested);
    const column = table === undefined ? requested.column : `${table}.${requested.column}`;
    const marks = holes.map((hole) => (hole === COLUMN_HOLE ? '??' : '?'));
    const text = texts.map((each, index) => each + (marks[index] ?? '')).join('');
    const value = knex.raw(
      text,
      holes.map((hole: Hole) => (hole === COLUMN_HOLE ? column : hole.bound)),
    );
    const formatted = Object.hasOwn(format, property) ? format[property]?.(value) : value;
    return knex.raw('? as ??', [formatted ?? value, property]);
  });
}
