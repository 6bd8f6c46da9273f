import { decimalOf, formatDecimal } from '../../minimize/decimal.js';

/** Takes the place of the column, which each query builder quotes in its own way. */
export const COLUMN_HOLE: unique symbol = Symbol('column');

/** A value that is sent beside the statement. */
export interface BoundValue {
  readonly bound: string;
}

export type Hole = typeof COLUMN_HOLE | BoundValue;

/** SQL of this library around columns and bound values: `holes[i]` follows `texts[i]`. */
export interface SqlExpression {
  readonly texts: readonly string[];
  readonly holes: readonly Hole[];
}

/** The column itself. */
export const COLUMN: SqlExpression = { texts: ['', ''], holes: [COLUMN_HOLE] };

export function bound(value: string): SqlExpression {
  return { texts: ['', ''], holes: [{ bound: value }] };
}

/** A number of the schema, written out. Its text has digits, a point and a sign only. */
export function literal(number: number): SqlExpression {
  const exact = decimalOf(number);
  if (exact === undefined) throw new RangeError('not a finite number');
  return { texts: [`(${formatDecimal(exact, 0)})::numeric`], holes: [] };
}

/** SQL of this library. Nothing of the schema or the mapping is written so. */
export function keyword(word: string): SqlExpression {
  return { texts: [word], holes: [] };
}

/** A whole number of the schema, such as how many characters stay. */
export function count(number: number): SqlExpression {
  if (!Number.isSafeInteger(number)) throw new RangeError('not a whole number');
  return { texts: [String(number)], holes: [] };
}

/** Composes expressions, as a tag of a template whose own text is SQL. */
export function sqlOf(
  strings: TemplateStringsArray,
  ...expressions: readonly SqlExpression[]
): SqlExpression {
  const [first = ''] = strings;
  const texts = [first];
  const holes: Hole[] = [];
  for (const [index, expression] of expressions.entries()) {
    const [begin = '', ...more] = expression.texts;
    texts.push(`${texts.pop() ?? ''}${begin}`, ...more);
    texts.push(`${texts.pop() ?? ''}${strings[index + 1] ?? ''}`);
    holes.push(...expression.holes);
  }
  return { texts, holes };
}
