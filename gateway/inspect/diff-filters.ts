import { isUnrestricted } from '@behalf/directives/internal';
import type { RuleTable } from '@behalf/directives/internal';
import { isEnumType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { implies } from './implication.js';
import type { InspectedSupergraph } from './supergraph.js';

type FilteredField = ReturnType<RuleTable['filters']['fieldsAt']>[number];

/** A change of what an argument, input field or enum value says that it filters by. */
interface FilterChange {
  readonly kind: 'filter-lost' | 'filter-gained';
  readonly coordinate: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Compares `@filters` where clients can use the argument, input field or enum value before and after. A field without a rule
 * does not count, nor does one whose rule the others imply. A change of the field's own rule is reported at the field.
 */
export function compareFilters(
  before: InspectedSupergraph,
  after: InspectedSupergraph,
): readonly FilterChange[] {
  const [then, now] = [before.rules.filters, after.rules.filters];
  const changes: FilterChange[] = [];
  for (const coordinate of new Set([...then.coordinates, ...now.coordinates])) {
    if (!hasInput(before.apiSchema, coordinate) || !hasInput(after.apiSchema, coordinate)) continue;
    const [old, current] = [then.fieldsAt(coordinate), now.fieldsAt(coordinate)];
    const words = { coordinate, before: textOf(old), after: textOf(current) };
    if (adds(after.rules, old, current)) changes.push({ kind: 'filter-lost', ...words });
    if (adds(after.rules, current, old)) changes.push({ kind: 'filter-gained', ...words });
  }
  return changes;
}

/** Whether some of the fields require what the others do not. */
function adds(rules: RuleTable, fields: readonly FilteredField[], others: readonly FilteredField[]): boolean {
  const { filters } = rules;
  return fields.some((named) => {
    const { type, field } = named;
    const isThere = others.some((other) => other.type === type && other.field === field);
    if (isThere) return false;
    // The field may have another name now, and the argument still works on it.
    if (rules.field(type, field) === undefined) return true;
    // Nobody knows beforehand who is held to less detail.
    if (rules.answersOf(type, field).some(([, { minimization }]) => minimization !== undefined)) return true;
    const required = filters.requirementFor([named]);
    return !isUnrestricted(required) && implies(filters.requirementFor(others), required) !== 'yes';
  });
}

function textOf(fields: readonly FilteredField[]): string {
  return fields.map(({ type, field }) => `@filters(field: "${type}.${field}")`).join(' ');
}

/** `Type.field(argument:)`, `Input.field`, `Enum.VALUE`. */
const COORDINATE = /^(\w+)\.(\w+)(?:\((\w+):\))?$/;

function hasInput(schema: GraphQLSchema, coordinate: string): boolean {
  const [, typeName = '', member = '', argument] = COORDINATE.exec(coordinate) ?? [];
  const type = schema.getType(typeName);
  if (isEnumType(type)) return type.getValue(member) !== undefined;
  if (isInputObjectType(type)) return Object.hasOwn(type.getFields(), member);
  if (!isObjectType(type) && !isInterfaceType(type)) return false;
  return type.getFields()[member]?.args.some(({ name }) => name === argument) === true;
}
