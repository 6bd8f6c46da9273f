import {
  GraphQLEnumType,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLUnionType,
  Kind,
  specifiedScalarTypes,
} from 'graphql';
import type {
  DefinitionNode,
  DocumentNode,
  FieldDefinitionNode,
  GraphQLNamedOutputType,
  GraphQLNullableType,
  GraphQLOutputType,
  TypeNode,
} from 'graphql';

type NamedOutput = GraphQLNullableType & GraphQLOutputType;

/**
 * Stands for the types of a schema that is not built: strategies ask only for names, lists, the fields of objects, and the values
 * of enums.
 */
export class NamedTypes {
  readonly #types = new Map<string, NamedOutput>(specifiedScalarTypes.map((scalar) => [scalar.name, scalar]));

  constructor({ definitions }: DocumentNode) {
    const members = membersOf(definitions);
    for (const definition of definitions) {
      const type = this.#typeOf(definition, members);
      if (type !== undefined && !this.#types.has(type.name)) this.#types.set(type.name, type);
    }
  }

  outputOf(node: TypeNode): GraphQLOutputType {
    return node.kind === Kind.NON_NULL_TYPE
      ? new GraphQLNonNull(this.#nullableOf(node.type))
      : this.#nullableOf(node);
  }

  #nullableOf(node: Exclude<TypeNode, { kind: Kind.NON_NULL_TYPE }>): NamedOutput {
    if (node.kind === Kind.LIST_TYPE) return new GraphQLList(this.outputOf(node.type));
    const name = node.name.value;
    return this.#types.get(name) ?? new GraphQLObjectType({ name, fields: {} });
  }

  #typeOf(
    definition: DefinitionNode,
    members: ReadonlyMap<string, Members>,
  ): GraphQLNamedOutputType | undefined {
    switch (definition.kind) {
      case Kind.SCALAR_TYPE_DEFINITION:
      case Kind.SCALAR_TYPE_EXTENSION:
        return new GraphQLScalarType({ name: definition.name.value });
      case Kind.ENUM_TYPE_DEFINITION:
      case Kind.ENUM_TYPE_EXTENSION:
        return new GraphQLEnumType({
          name: definition.name.value,
          values: Object.fromEntries(
            (members.get(definition.name.value)?.values ?? []).map((value) => [value, {}]),
          ),
        });
      case Kind.INTERFACE_TYPE_DEFINITION:
      case Kind.INTERFACE_TYPE_EXTENSION:
        return new GraphQLInterfaceType({ name: definition.name.value, fields: {} });
      case Kind.UNION_TYPE_DEFINITION:
      case Kind.UNION_TYPE_EXTENSION:
        return new GraphQLUnionType({ name: definition.name.value, types: [] });
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.OBJECT_TYPE_EXTENSION:
        return new GraphQLObjectType({
          name: definition.name.value,
          fields: () =>
            Object.fromEntries(
              (members.get(definition.name.value)?.fields ?? []).map(
                ({ name, type }) => [name.value, { type: this.outputOf(type) }] as const,
              ),
            ),
        });
      default:
        return undefined;
    }
  }
}

interface Members {
  readonly fields: FieldDefinitionNode[];
  /** Of an enum. */
  readonly values: string[];
}

/** Of each object type and enum, in all of its definitions. */
function membersOf(definitions: readonly DefinitionNode[]): ReadonlyMap<string, Members> {
  const members = new Map<string, Members>();
  const open = (name: string): Members => {
    const known = members.get(name) ?? { fields: [], values: [] };
    members.set(name, known);
    return known;
  };
  for (const definition of definitions) {
    if (definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.OBJECT_TYPE_EXTENSION)
      open(definition.name.value).fields.push(...(definition.fields ?? []));
    if (definition.kind === Kind.ENUM_TYPE_DEFINITION || definition.kind === Kind.ENUM_TYPE_EXTENSION)
      open(definition.name.value).values.push(...(definition.values ?? []).map(({ name }) => name.value));
  }
  return members;
}
