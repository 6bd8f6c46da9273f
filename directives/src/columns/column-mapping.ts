/** The type of a column in PostgreSQL, as far as less detail can be selected of it. `text` is also `varchar`, and `double` is `double precision`. */
export type ColumnType =
  'text' | 'integer' | 'bigint' | 'numeric' | 'double' | 'date' | 'timestamptz' | 'inet';

/** A column, where its name alone does not say enough. */
export interface ColumnSource {
  readonly column: string;
  /** The table that has it, or its alias: for a query that joins several. */
  readonly table?: string;
  /** The property of the row; by default the name of the field whose value it is, or else of the column. */
  readonly as?: string;
  /** Of the column. Without it, the column is selected whole, and only Behalf generalizes its values. */
  readonly type?: ColumnType;
}

/**
 * One column: it holds the field's value. A list: the field's resolver computes the value from these columns, so they are selected
 * whole. An empty list: the field needs no column.
 */
export type ColumnsOfField = string | ColumnSource | readonly (string | ColumnSource)[];

/** Where the values of a type's fields come from. Define it once, outside of the resolvers: it is checked when it is first used. */
export interface ColumnMapping {
  /** The GraphQL type of the rows: an object type, interface or union of the subgraph's schema. */
  readonly type: string;
  /**
   * By field. The key of a field of an object that is read from the same row has the path to it, `address.city`.
   * `__typename` names what the resolver of an abstract type needs.
   */
  readonly columns: Readonly<Record<string, ColumnsOfField>>;
  /** Selected whole for every operation: keys, and what the resolvers themselves compare or sort by. */
  readonly always?: readonly (string | ColumnSource)[];
  /** Names the column of a scalar or enum field that `columns` does not mention. Without it, such a field is an error. */
  readonly column?: (field: string) => string;
}
