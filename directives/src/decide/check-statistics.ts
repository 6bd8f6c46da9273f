import { Kind, OperationTypeNode } from 'graphql';
import type { DocumentNode, FieldDefinitionNode } from 'graphql';
import { DirectiveError } from '../errors.js';
import type { TypeRule } from './compile-types.js';

/**
 * Whether each field with `@minimize(to: AGGREGATE)` stands where groups are those of the schema.
 *
 * @throws {DirectiveError} `INVALID_RULE`
 */
export function checkStatistics(document: DocumentNode, types: ReadonlyMap<string, TypeRule>): void {
  const streams = subscriptionTypes(document);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION)
      continue;
    for (const field of definition.fields ?? []) {
      const rule = types.get(definition.name.value)?.fields.get(field.name.value);
      if (rule?.minimization?.statements.some(({ to }) => to === 'AGGREGATE') !== true) continue;
      const returnsOwned = types.get(rule.returns)?.subject !== undefined;
      const problem = problemOf(field, returnsOwned, streams.has(definition.name.value));
      if (problem !== undefined)
        throw new DirectiveError('INVALID_RULE', `@minimize(to: AGGREGATE) ${problem}`, rule.coordinate);
    }
  }
}

function problemOf(
  { arguments: given = [] }: FieldDefinitionNode,
  returnsOwned: boolean,
  isStream: boolean,
): string | undefined {
  if (given.length > 0)
    return 'takes no arguments: with a filter, a caller could choose who is in a group, and subtract';
  if (isStream) return 'is not for subscriptions: what changes between two events is one person';
  return returnsOwned ? 'cannot return a type with @subject: a statistic has no owner' : undefined;
}

function subscriptionTypes({ definitions }: DocumentNode): ReadonlySet<string> {
  const names = definitions.flatMap((definition) =>
    definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION
      ? (definition.operationTypes ?? [])
      : [],
  );
  return new Set([
    'Subscription',
    ...names.flatMap(({ operation, type }) =>
      operation === OperationTypeNode.SUBSCRIPTION ? [type.name.value] : [],
    ),
  ]);
}
