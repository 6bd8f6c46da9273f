import { type RawBuilder, sql } from 'kysely';

/** Fields of a type (see `requestedFields`) and the properties of the row that they are resolved from. */
export type ColumnsOfFields = Readonly<Record<string, Readonly<Record<string, RawBuilder<unknown>>>>>;

/**
 * Chooses the columns of a table that an operation needs.
 */
export class Columns {
  readonly #expressions = new Map<string, RawBuilder<unknown>>();
  readonly #byField = new Map<string, readonly string[]>();
  readonly #always: readonly string[];

  /**
   * @param always properties that every row has: the key, and the subject that `@subject` compares
   * @param fields what else each field needs; a field that is not listed needs nothing
   */
  constructor(always: Readonly<Record<string, RawBuilder<unknown>>>, fields: ColumnsOfFields) {
    this.#always = Object.keys(always);
    for (const properties of [always, ...Object.values(fields)]) {
      for (const [property, expression] of Object.entries(properties)) {
        this.#expressions.set(property, expression);
      }
    }
    for (const [field, properties] of Object.entries(fields)) {
      this.#byField.set(field, Object.keys(properties));
    }
  }

  /** The properties that these fields need, in a fixed order. */
  for(fields: ReadonlySet<string>): readonly string[] {
    const properties = new Set(this.#always);
    for (const field of fields)
      for (const property of this.#byField.get(field) ?? []) properties.add(property);
    return [...properties].sort();
  }

  /** A select list of all properties that any key of a batch needs. */
  list(asked: Iterable<readonly string[]>): RawBuilder<unknown> {
    const properties = [...new Set([...asked].flat())].sort();
    return sql.join(
      properties.map((property) => {
        const expression = this.#expressions.get(property);
        if (expression === undefined) throw new TypeError(`No column for ${property}`);
        return sql`${expression} as ${sql.id(property)}`;
      }),
    );
  }
}

/** The key of a loader. Loading one row with two sets of columns makes two keys of the same batch. */
export interface RowKey {
  readonly id: string;
  readonly columns: readonly string[];
}

/** A key as text, so that equal keys are loaded once. */
export function writeKey(key: object): string {
  return JSON.stringify(key);
}

/** Reads keys that `writeKey` wrote for the same loader. */
export function readKeys<Key>(texts: readonly string[]): Key[] {
  return texts.map((text) => JSON.parse(text) as Key);
}
