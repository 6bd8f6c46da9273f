import type { FieldNode } from 'graphql';

/** The key of the field in the response: its alias, or its name. */
export function responseKeyOf(field: FieldNode): string {
  return field.alias?.value ?? field.name.value;
}
