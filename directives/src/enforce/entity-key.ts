import { Kind, parse } from 'graphql';
import type { GraphQLObjectType } from 'graphql';

/** Reads the key of the entity that an object is. @returns undefined without one */
export type EntityKey = (row: unknown) => string | undefined;

/**
 * The values of the first `@key` of a type whose fields are all values of the object itself.
 *
 * @returns undefined for a type without such a key
 */
export function entityKeyOf(type: GraphQLObjectType): EntityKey | undefined {
  const fields = keyFieldsOf(type);
  if (fields === undefined) return undefined;
  return (row) => {
    if (typeof row !== 'object' || row === null) return undefined;
    return entityText(fields.map((name) => (row as Readonly<Record<string, unknown>>)[name]));
  };
}

/** The fields of that key. */
export function keyFieldsOf(type: GraphQLObjectType): readonly string[] | undefined {
  return fieldSetsOf(type)
    .map(plainKeyFields)
    .find((names) => names.length > 0);
}

/** The key of an entity by the values of its fields. @returns undefined if one of them is no plain value */
export function entityText(values: readonly unknown[]): string | undefined {
  const texts = values.map(textOf);
  return texts.includes(undefined) ? undefined : JSON.stringify(texts);
}

/** As SDL states them, or the `extensions` of a schema that is built in code. */
function fieldSetsOf(type: GraphQLObjectType): readonly string[] {
  const nodes = [type.astNode, ...type.extensionASTNodes].flatMap((node) => node?.directives ?? []);
  const stated = nodes
    .filter(({ name }) => name.value === 'key' || name.value === 'federation__key')
    .flatMap(({ arguments: args = [] }) => args)
    .flatMap(({ name, value }) =>
      name.value === 'fields' && value.kind === Kind.STRING ? [value.value] : [],
    );
  const { directives } = type.extensions as { readonly directives?: unknown };
  return [...stated, ...fieldSetsIn(directives)];
}

function fieldSetsIn(directives: unknown): readonly string[] {
  if (Array.isArray(directives)) {
    return (directives as readonly unknown[]).flatMap((each) => {
      const { args, name } = (each ?? {}) as { readonly name?: unknown; readonly args?: unknown };
      return name === 'key' ? fieldSetsIn({ key: args }) : [];
    });
  }
  if (typeof directives !== 'object' || directives === null) return [];
  const { key } = directives as { readonly key?: unknown };
  return [key].flat().flatMap((each) => {
    const { fields } = (each ?? {}) as { readonly fields?: unknown };
    return typeof fields === 'string' ? [fields] : [];
  });
}

/** The fields of a `@key`. Empty if one has a selection of its own: its value is an object. */
export function plainKeyFields(fieldSet: string): readonly string[] {
  const [operation] = parse(`{ ${fieldSet} }`, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return [];
  const names = operation.selectionSet.selections.map((selection) =>
    selection.kind === Kind.FIELD && selection.selectionSet === undefined ? selection.name.value : undefined,
  );
  return names.includes(undefined) ? [] : (names as readonly string[]);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined;
}
