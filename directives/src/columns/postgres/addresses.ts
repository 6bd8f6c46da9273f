import type { IpPrefixParameters } from '../../minimize/generalize/ip-prefix.js';
import type { ColumnType } from '../column-mapping.js';
import { COLUMN, count, sqlOf } from './sql-expression.js';
import type { SqlExpression } from './sql-expression.js';

/** An IPv4 address within an IPv6 one (RFC 4291 section 2.5.5.2) has its bits behind these. */
const MAPPED_BITS = 96;

/** The address with zeros behind its prefix; null for a network, of which the minimizer reads nothing either. */
export function ipPrefixSql({ ipv4, ipv6 }: IpPrefixParameters, type: ColumnType): SqlExpression | undefined {
  if (type !== 'inet') return undefined;
  return sqlOf`case
    when masklen(${COLUMN}) < case family(${COLUMN}) when 4 then 32 else 128 end then null
    when family(${COLUMN}) = 4 then ${prefix(ipv4)}
    when ${COLUMN} <<= inet '::ffff:0:0/96' then ${prefix(MAPPED_BITS + ipv4)}
    else ${prefix(ipv6)}
  end`;
}

function prefix(bits: number): SqlExpression {
  return sqlOf`host(network(set_masklen(${COLUMN}, ${count(bits)})))::inet`;
}
