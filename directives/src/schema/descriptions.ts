import { Kind } from 'graphql';
import type { DocumentNode } from 'graphql';

/** Descriptions of the fields of object types, by coordinate. */
export function descriptionsIn({ definitions }: DocumentNode): ReadonlyMap<string, string> {
  const descriptions = new Map<string, string>();
  for (const definition of definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION)
      continue;
    for (const { name, description } of definition.fields ?? []) {
      if (description === undefined || description.value === '') continue;
      descriptions.set(`${definition.name.value}.${name.value}`, description.value);
    }
  }
  return descriptions;
}
