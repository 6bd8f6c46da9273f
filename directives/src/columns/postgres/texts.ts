import type { GeohashParameters } from '../../minimize/generalize/geohash.js';
import type { PartParameters } from '../../minimize/generalize/part.js';
import type { TruncateParameters } from '../../minimize/strategies/truncate.js';
import type { ColumnType } from '../column-mapping.js';
import { COLUMN, count, keyword, sqlOf } from './sql-expression.js';
import type { SqlExpression } from './sql-expression.js';

/**
 * Latin, Greek and Cyrillic letters, digits and the marks between them: a code point of these next to another one is a character by
 * itself (UAX 29). PostgreSQL counts code points, and Behalf what people take for a character.
 */
export const SINGLE_CHARACTERS = String.raw`\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038e-\u03a1\u03a3-\u0482\u048a-\u052f`;

/** The beginning, if it and the code point behind it are single characters; else the whole text. */
export function truncateSql({ keep }: TruncateParameters, type: ColumnType): SqlExpression | undefined {
  if (type !== 'text') return undefined;
  const [kept, read] = [count(keep), count(keep + 1)];
  const isSimple = sqlOf`left(${COLUMN}, ${read}) ~ ${keyword(`'^[${SINGLE_CHARACTERS}]*$'`)}`;
  return sqlOf`case when ${isSimple} then left(${COLUMN}, ${kept}) else ${COLUMN} end`;
}

/** An address of the same domain, since the minimizer reads one; null for what is none. */
export function partSql({ part }: PartParameters, type: ColumnType): SqlExpression | undefined {
  if (type !== 'text' || part !== 'EMAIL_DOMAIN') return undefined;
  return sqlOf`'x' || substring(${COLUMN} from '.(@[^@]*)$')`;
}

export function geohashSql({ geohash }: GeohashParameters, type: ColumnType): SqlExpression | undefined {
  if (type !== 'text') return undefined;
  const isGeohash = sqlOf`${COLUMN} ~ '^[0-9b-hjkmnp-zB-HJKMNP-Z]{1,22}$'`;
  return sqlOf`case when ${isGeohash} then left(${COLUMN}, ${count(geohash)}) end`;
}
