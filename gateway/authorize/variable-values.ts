import { Kind } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';

/**
 * The variables of an operation as given, else their defaults if they are booleans or null. Undefined stands for other defaults, and
 * for no value.
 */
export function valuesOf(
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, unknown> {
  return new Map(
    variableDefinitions.map(({ variable: { name }, defaultValue }) => {
      const given = Object.hasOwn(variables, name.value) ? variables[name.value] : undefined;
      if (given !== undefined) return [name.value, given];
      if (defaultValue?.kind === Kind.BOOLEAN) return [name.value, defaultValue.value];
      return [name.value, defaultValue?.kind === Kind.NULL ? null : undefined];
    }),
  );
}
