import { isSpecifiedScalarType } from 'graphql';
import type { GraphQLLeafType } from 'graphql';
import { closestQuotient, divideTo, formatDecimal, toDouble } from '../decimal.js';
import type { Decimal } from '../decimal.js';
import { serializeLeaf } from '../finished-value.js';
import { isText } from '../strategy.js';
import type { AggregateParameters, StatisticField } from '../strategies/aggregate.js';
import type { Group, NumberForm } from './groups.js';
import { groupOutput } from './row-values.js';
import type { StatisticType } from './statistic-type.js';

interface OutputInput {
  readonly parameters: AggregateParameters;
  readonly type: StatisticType;
  readonly begins: readonly Decimal[];
  readonly onUnreadable: () => void;
}

/** A text of an average has this many decimals more than the numbers, unless they are zeros. */
const MORE_DECIMALS = 6;

/** A group as the resolvers of the returned type get it: an object with the fields that the type has, and nothing else. */
export function compileOutput({ begins, onUnreadable, parameters, type }: OutputInput) {
  const written = (name: StatisticField, leaf: GraphQLLeafType, group: Group): unknown => {
    const value = numberOf(name, leaf, group, { begins, names: parameters.names });
    if (value !== null && fits(leaf, value)) return value;
    onUnreadable();
    return null;
  };
  return (group: Group): Readonly<Record<string, unknown>> =>
    Object.fromEntries([
      ...type.groups.map((field, index) => [field.name, groupOutput(group.values[index], field)] as const),
      ...[...type.numbers].map(([name, leaf]) => [name, written(name, leaf, group)] as const),
    ]);
}

function numberOf(
  name: StatisticField,
  leaf: GraphQLLeafType,
  group: Group,
  { begins, names }: { readonly begins: readonly Decimal[]; readonly names: readonly string[] | undefined },
): unknown {
  switch (name) {
    case 'count':
      return group.count;
    case 'subjects':
      return group.subjects;
    case 'bucket': {
      if (names !== undefined) return names[group.bucket] ?? null;
      const begin = begins[group.bucket];
      return begin === undefined ? null : asType(begin, leaf, 'number');
    }
    case 'sum':
      return asType(group.sum, leaf, group.form);
    case 'average':
      return averageOf(group, leaf);
  }
}

/** A number in its exact form. A double is the closest one; a custom scalar gets what the rows had. */
function asType(number: Decimal, leaf: GraphQLLeafType, form: NumberForm): unknown {
  const as = isSpecifiedScalarType(leaf) ? (isText(leaf.name) ? 'string' : 'number') : form;
  const text = formatDecimal(number, number.scale);
  if (as === 'string') return text;
  // Rounding a sum to a whole number would make it another one.
  const whole = wholeOf(number);
  if (as === 'bigint') return whole ?? null;
  return leaf.name === 'Int' && whole === undefined ? null : toDouble(number);
}

function averageOf({ count, form, sum }: Group, leaf: GraphQLLeafType): unknown {
  const isDouble = isSpecifiedScalarType(leaf) ? leaf.name === 'Float' : form === 'number';
  if (isDouble) return closestQuotient(sum, BigInt(count));
  return formatDecimal(divideTo(sum, BigInt(count), sum.scale + MORE_DECIMALS), sum.scale);
}

/** @returns undefined for a number with decimals that are not zeros */
function wholeOf(number: Decimal): bigint | undefined {
  const text = formatDecimal(number, 0);
  return text.includes('.') ? undefined : BigInt(text);
}

function fits(leaf: GraphQLLeafType, value: unknown): boolean {
  try {
    const serialized = serializeLeaf(leaf, value);
    return serialized !== null && serialized !== undefined;
  } catch {
    return false;
  }
}
