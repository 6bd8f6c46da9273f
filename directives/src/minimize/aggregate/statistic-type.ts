import { getNullableType, isEnumType, isLeafType, isListType, isNonNullType, isObjectType } from 'graphql';
import type { GraphQLLeafType, GraphQLObjectType, GraphQLOutputType } from 'graphql';
import { DirectiveError } from '../../errors.js';
import { isText, isWhole } from '../strategy.js';
import { STATISTIC_FIELDS } from '../strategies/aggregate.js';
import type { AggregateParameters, StatisticField } from '../strategies/aggregate.js';

/** A grouping, and the field that has its value. */
export interface GroupField {
  readonly name: string;
  readonly type: GraphQLLeafType;
  readonly mayBeNull: boolean;
}

/** What the returned type asks of a statistic. */
export interface StatisticType {
  readonly groups: readonly GroupField[];
  /** The fields with numbers that the type has, and their types. */
  readonly numbers: ReadonlyMap<StatisticField, GraphQLLeafType>;
}

/** @throws {DirectiveError} `INVALID_RULE` if results would not be valid for the type of the field */
export function statisticType(
  returned: GraphQLOutputType,
  parameters: AggregateParameters,
  coordinate: string,
): StatisticType {
  const type = entryOf(returned, coordinate);
  const fields = type.getFields();
  const refuse = (name: string, problem: string): never => {
    throw new DirectiveError(
      'INVALID_RULE',
      `@minimize(to: AGGREGATE): ${type.name}.${name} ${problem}`,
      coordinate,
    );
  };
  const leafOf = (name: string, wanted: string): GraphQLLeafType => {
    const field = fields[name];
    if (field === undefined) return refuse(name, `is missing: it has ${wanted}`);
    const leaf = getNullableType(field.type);
    return isLeafType(leaf) ? leaf : refuse(name, `has ${wanted}, so it must be of a scalar type`);
  };
  const groups = parameters.groups.map((name) => ({
    name,
    type: leafOf(name, 'the value of the group'),
    mayBeNull: !isNonNullType(fields[name]?.type),
  }));
  const numbers = new Map<StatisticField, GraphQLLeafType>();
  for (const name of STATISTIC_FIELDS) {
    if (fields[name] === undefined && name !== 'bucket') continue;
    if (name === 'bucket' && parameters.buckets === undefined) continue;
    const leaf = leafOf(name, name === 'bucket' ? 'where the bucket begins, or its name' : 'a number');
    const problem = problemOf(name, leaf, isNonNullType(fields[name]?.type), parameters);
    if (problem !== undefined) refuse(name, problem);
    numbers.set(name, leaf);
  }
  const known = new Set<string>([...parameters.groups, ...numbers.keys()]);
  for (const field of Object.values(fields)) {
    if (!known.has(field.name) && isNonNullType(field.type))
      refuse(field.name, 'is neither a group nor one of the numbers, so it must be nullable');
  }
  return { groups, numbers };
}

function entryOf(returned: GraphQLOutputType, coordinate: string): GraphQLObjectType {
  const list = getNullableType(returned);
  const entry = isListType(list) ? getNullableType(list.ofType) : undefined;
  if (isObjectType(entry)) return entry;
  throw new DirectiveError(
    'INVALID_RULE',
    '@minimize(to: AGGREGATE) needs a field that returns a list of an object type',
    coordinate,
  );
}

/** Custom scalars of any name may be written as numbers or texts; only some names say that they are whole. */
function problemOf(
  name: StatisticField,
  leaf: GraphQLLeafType,
  isNonNull: boolean,
  { buckets = [], names, of }: AggregateParameters,
): string | undefined {
  const type = leaf.name;
  if (isEnumType(leaf) || type === 'Boolean') return `cannot be of type ${type}`;
  if (name === 'bucket' && names !== undefined)
    return isText(type) ? undefined : 'has a name, so it must be a String or an ID';
  if (name === 'bucket')
    return isWhole(type) && !buckets.every(Number.isInteger) ? 'is whole, and "buckets" are not' : undefined;
  if (type === 'ID' || ((name === 'count' || name === 'subjects') && type === 'String'))
    return `is a number, so it cannot be of type ${type}`;
  if (name === 'count' || name === 'subjects') return undefined;
  if (of === undefined) return 'needs "of"';
  if (name === 'average') return isWhole(type) ? `is a fraction, so it cannot be of type ${type}` : undefined;
  return type === 'Int' && isNonNull ? 'may be too large for an Int, so it must be nullable' : undefined;
}
