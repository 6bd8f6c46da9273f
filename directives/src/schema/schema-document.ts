import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  printSchema,
} from 'graphql';
import type {
  ConstDirectiveNode,
  DefinitionNode,
  DocumentNode,
  FieldDefinitionNode,
  GraphQLField,
  GraphQLNamedType,
  GraphQLSchema,
} from 'graphql';
import { appliedDirectives } from './applied-directives.js';
import type { SchemaElement } from './applied-directives.js';

/**
 * The SDL of a schema with all applied directives, which graphql's own `printSchema` omits.
 *
 * @throws {DirectiveError} `INVALID_RULE` for unreadable directives, with the coordinate
 */
export function schemaDocument(schema: GraphQLSchema): DocumentNode {
  const printed = parse(printSchema(schema), { noLocation: true });
  const writer = new ElementWriter(schema);
  const definitions = printed.definitions.map((definition) => writer.definition(definition));
  const directives = appliedDirectives(schema, schema, 'schema');
  const extension: DefinitionNode = { kind: Kind.SCHEMA_EXTENSION, directives };
  return { ...printed, definitions: directives.length === 0 ? definitions : [extension, ...definitions] };
}

interface Directed {
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

/** SDL of a type's fields that is stored on the type, for libraries that omit it from the fields. */
interface FieldHolder {
  readonly fields?: readonly {
    readonly name: { readonly value: string };
    readonly directives?: Directed['directives'];
  }[];
}

class ElementWriter {
  readonly #schema: GraphQLSchema;

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  definition(node: DefinitionNode): DefinitionNode {
    switch (node.kind) {
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.INTERFACE_TYPE_DEFINITION:
      case Kind.ENUM_TYPE_DEFINITION:
      case Kind.INPUT_OBJECT_TYPE_DEFINITION:
      case Kind.SCALAR_TYPE_DEFINITION:
      case Kind.UNION_TYPE_DEFINITION: {
        const type = this.#schema.getType(node.name.value);
        return type === undefined ? node : this.#withMembers(this.#write(node, type, type.name), type);
      }
      default:
        return node;
    }
  }

  #withMembers(node: DefinitionNode, type: GraphQLNamedType): DefinitionNode {
    if (
      (node.kind === Kind.OBJECT_TYPE_DEFINITION && isObjectType(type)) ||
      (node.kind === Kind.INTERFACE_TYPE_DEFINITION && isInterfaceType(type))
    ) {
      const known = type.getFields();
      return {
        ...node,
        fields: node.fields?.map((field) => this.#field(field, known[field.name.value], type)) ?? [],
      };
    }
    if (node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION && isInputObjectType(type)) {
      const known = type.getFields();
      const write = (field: NonNullable<typeof node.fields>[number]): typeof field =>
        this.#write(field, known[field.name.value], `${type.name}.${field.name.value}`);
      return { ...node, fields: node.fields?.map(write) ?? [] };
    }
    if (node.kind === Kind.ENUM_TYPE_DEFINITION && isEnumType(type)) {
      const write = (value: NonNullable<typeof node.values>[number]): typeof value =>
        this.#write(value, type.getValue(value.name.value) ?? undefined, `${type.name}.${value.name.value}`);
      return { ...node, values: node.values?.map(write) ?? [] };
    }
    return node;
  }

  #field(
    node: FieldDefinitionNode,
    field: GraphQLField<unknown, unknown> | undefined,
    type: GraphQLNamedType,
  ): FieldDefinitionNode {
    const name = node.name.value;
    const coordinate = `${type.name}.${name}`;
    const holders = [type.astNode, ...type.extensionASTNodes] as readonly (FieldHolder | null | undefined)[];
    const onType = holders.flatMap(
      (holder) => holder?.fields?.filter((known) => known.name.value === name) ?? [],
    );
    const written = this.#write(node, field, coordinate, onType);
    const args = node.arguments?.map((argument) =>
      this.#write(
        argument,
        field?.args.find((known) => known.name === argument.name.value),
        `${coordinate}(${argument.name.value}:)`,
      ),
    );
    return args === undefined ? written : { ...written, arguments: args };
  }

  #write<Node extends Directed>(
    node: Node,
    element: SchemaElement | undefined,
    coordinate: string,
    elsewhere: readonly Directed[] = [],
  ): Node {
    if (element === undefined) return node;
    const applied = appliedDirectives(this.#schema, element, coordinate, elsewhere);
    return applied.length === 0 ? node : { ...node, directives: [...(node.directives ?? []), ...applied] };
  }
}
