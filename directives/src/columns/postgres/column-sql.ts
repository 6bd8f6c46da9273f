import type { GeneralizeParameters } from '../../minimize/strategies/generalize.js';
import type { ColumnType } from '../column-mapping.js';
import type { RequestedColumn } from '../requested-column.js';
import { ipPrefixSql } from './addresses.js';
import { unitSql } from './dates.js';
import { bucketsSql, decimalsSql, stepSql } from './numbers.js';
import { bound, COLUMN, sqlOf } from './sql-expression.js';
import type { SqlExpression } from './sql-expression.js';
import { geohashSql, partSql, truncateSql } from './texts.js';

/**
 * What PostgreSQL selects for a column: a value of the column's type of which the minimizer leaves the same as of the stored one. The
 * column itself, if the minimizer needs the value or the column's type is not stated.
 */
export function columnSql(requested: RequestedColumn): SqlExpression {
  if (requested.constant !== undefined) return constantSql(requested.constant);
  return generalized(requested) ?? COLUMN;
}

function constantSql(constant: string | number | boolean): SqlExpression {
  if (typeof constant === 'string') return sqlOf`${bound(constant)}::text`;
  const value = bound(String(constant));
  return typeof constant === 'number' ? sqlOf`${value}::integer` : sqlOf`${value}::boolean`;
}

function generalized({ minimize, type }: RequestedColumn): SqlExpression | undefined {
  if (minimize === undefined || type === undefined) return undefined;
  if (minimize.to === 'TRUNCATE') return truncateSql(minimize, type);
  return minimize.to === 'GENERALIZE' ? generalizedBy(minimize, type) : undefined;
}

function generalizedBy(parameters: GeneralizeParameters, type: ColumnType): SqlExpression | undefined {
  switch (parameters.by) {
    case 'step':
      return stepSql(parameters, type);
    case 'unit':
      return unitSql(parameters, type);
    case 'decimals':
      return decimalsSql(parameters, type);
    case 'buckets':
      return bucketsSql(parameters, type);
    case 'ipPrefix':
      return ipPrefixSql(parameters, type);
    case 'part':
      return partSql(parameters, type);
    case 'geohash':
      return geohashSql(parameters, type);
    case 'h3':
    case 'hierarchy':
      return undefined;
  }
}
