import { Kind } from 'graphql';
import type { DefinitionNode, DocumentNode, FieldDefinitionNode } from 'graphql';
import type { FilteredField } from '../specification/filters.js';
import type { Links } from '../specification/link.js';
import { meaningsOf } from './compile-types.js';
import type { RuledNode } from './compile-types.js';

/** An argument, an input field or an enum value, and the fields that `@filters` names there. */
export interface StatedFilters {
  readonly coordinate: string;
  /** The field that takes the argument; undefined for an input field and an enum value. */
  readonly takenBy: FilteredField | undefined;
  /** Name of the argument, the input field or the enum value. */
  readonly name: string;
  readonly fields: readonly FilteredField[];
}

/**
 * Every `@filters` of a schema, by the coordinate that it stands on, extensions included.
 *
 * @throws {DirectiveError} `INVALID_RULE`
 */
export function compileFilters(document: DocumentNode, links: Links): ReadonlyMap<string, StatedFilters> {
  const stated = new Map<string, StatedFilters>();
  const read = (node: RuledNode, place: Omit<StatedFilters, 'fields'>): void => {
    const fields = meaningsOf(node, links, place.coordinate).flatMap((meaning) =>
      meaning.kind === 'filters' ? [meaning.field] : [],
    );
    if (fields.length > 0) stated.set(place.coordinate, { ...place, fields });
  };
  for (const definition of document.definitions) readDefinition(definition, read);
  return stated;
}

type Read = (node: RuledNode, place: Omit<StatedFilters, 'fields'>) => void;

function readDefinition(definition: DefinitionNode, read: Read): void {
  switch (definition.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.OBJECT_TYPE_EXTENSION:
    case Kind.INTERFACE_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_EXTENSION:
      for (const field of definition.fields ?? []) readArguments(definition.name.value, field, read);
      break;
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
    case Kind.INPUT_OBJECT_TYPE_EXTENSION:
      readMembers(definition.name.value, definition.fields, read);
      break;
    case Kind.ENUM_TYPE_DEFINITION:
    case Kind.ENUM_TYPE_EXTENSION:
      readMembers(definition.name.value, definition.values, read);
      break;
    default:
  }
}

function readArguments(
  type: string,
  { name: field, arguments: args = [] }: FieldDefinitionNode,
  read: Read,
): void {
  for (const argument of args) {
    const name = argument.name.value;
    const coordinate = `${type}.${field.value}(${name}:)`;
    read(argument, { coordinate, takenBy: { type, field: field.value }, name });
  }
}

function readMembers(
  type: string,
  members: readonly (RuledNode & { readonly name: { readonly value: string } })[] = [],
  read: Read,
): void {
  for (const member of members) {
    const name = member.name.value;
    read(member, { coordinate: `${type}.${name}`, takenBy: undefined, name });
  }
}
