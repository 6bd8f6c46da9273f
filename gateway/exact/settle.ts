import { isScalarType } from 'graphql';
import type { GraphQLNamedType } from 'graphql';
import { ExactNumber } from './exact-number.js';
import { replaceMembers } from './members.js';

/**
 * The exact value of a number at a position of this type, or undefined if there is none:
 *
 * - an ID is a string of the number's digits;
 * - a Float is a double by definition, so it is the nearest one;
 * - an Int is too small for it, and no other built-in type is a number;
 * - a custom scalar is the number if a double holds it, and otherwise a string of its digits, as Protocol Buffers write 64-bit
 *   integers in JSON, because `JSON.parse` would round a number.
 *
 * @param type undefined if unknown
 */
export function settleNumber(
  number: ExactNumber,
  type: GraphQLNamedType | undefined,
): string | number | undefined {
  if (type === undefined) return asOwnScalar(number);
  if (!isScalarType(type)) return undefined;
  switch (type.name) {
    case 'ID':
      return number.integer;
    case 'Float': {
      const nearest = Number(number.text);
      return Number.isFinite(nearest) ? nearest : undefined;
    }
    case 'Int':
    case 'String':
    case 'Boolean':
      return undefined;
    default:
      return asOwnScalar(number);
  }
}

/** A custom scalar may be a whole JSON value: settles every number in it, in place and without recursion. */
export function settleWithin(container: object): void {
  const pending: object[] = [container];
  const settled = (value: unknown): unknown => {
    if (value instanceof ExactNumber) return asOwnScalar(value);
    if (typeof value === 'object' && value !== null) pending.push(value);
    return value;
  };
  for (let each = pending.pop(); each !== undefined; each = pending.pop()) replaceMembers(each, settled);
}

function asOwnScalar(number: ExactNumber): string | number {
  return number.fitsDouble ? Number(number.text) : (number.integer ?? number.text);
}
