import { type RawBuilder, sql } from 'kysely';

/** Fields of a type (see `requestedFields`) and the properties of the row that they are resolved from. */
export type ColumnsOfFields = Readonly<Record<string, Readonly<Record<string, RawBuilder<unknown>>>>>;

/**
 * The columns of a table that an operation needs.
 */
export class Columns {
  readonly #expressions = new Map<string, RawBuilder<unknown>>();
  readonly #byField = new Map<string, readonly string[]>();
  readonly #always: readonly string[];

  /**
   * @param always properties that every row has: the key, and the subject that `@subject` compares
   * @param fields what else each field needs; one that is not listed needs nothing
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

  /** The properties that these fields need, always in the same order. */
  for(fields: ReadonlySet<string>): readonly string[] {
    const properties = new Set(this.#always);
    for (const field of fields)
      for (const property of this.#byField.get(field) ?? []) properties.add(property);
    return [...properties].sort();
  }

  /** A select list for all properties that any of the keys of a batch asks for. */
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

/** What one row is loaded by: two loads of the same row with other columns are two keys of the same batch. */
export interface RowKey {
  readonly id: string;
  readonly columns: readonly string[];
}

/** The key as text, by which a loader knows that it has loaded it before. */
export function writeKey(key: object): string {
  return JSON.stringify(key);
}

/** Of a text that `writeKey` made of a key of the same loader. */
export function readKeys<Key>(texts: readonly string[]): Key[] {
  return texts.map((text) => JSON.parse(text) as Key);
}
