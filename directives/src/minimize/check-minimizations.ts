import {
  GraphQLEnumType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  Kind,
  specifiedScalarTypes,
} from 'graphql';
import type {
  DocumentNode,
  GraphQLLeafType,
  GraphQLNullableType,
  GraphQLOutputType,
  TypeNode,
} from 'graphql';
import type { RuleTable } from '../decide/rule-table.js';
import { compileMinimizer } from './minimizer.js';

/** Whether the team has configured one is not known from its schema. */
const SOME_KEY = new Uint8Array(32);

/**
 * Whether each `@minimize` fits the type of its field, as the start of the subgraph requires. The text of the schema suffices.
 *
 * @param document of one subgraph, lowered
 * @param rules compiled from it
 * @throws {DirectiveError} `INVALID_RULE`
 */
export function checkMinimizations(document: DocumentNode, rules: RuleTable): void {
  const types = new NamedTypes(document);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION)
      continue;
    for (const field of definition.fields ?? []) {
      const [typeName, fieldName] = [definition.name.value, field.name.value];
      const minimization = rules.field(typeName, fieldName)?.minimization;
      if (minimization === undefined) continue;
      for (const statement of minimization.statements) {
        compileMinimizer({
          statement,
          coordinate: minimization.coordinate,
          type: types.outputOf(field.type),
          pseudonymKey: SOME_KEY,
          onUnreadable: () => undefined,
        });
      }
    }
  }
}

/** Stands for the types of a schema that is not built: strategies ask only for names, lists, scalars, and enums with their values. */
class NamedTypes {
  readonly #leaves = new Map<string, GraphQLLeafType>(
    specifiedScalarTypes.map((scalar) => [scalar.name, scalar]),
  );

  constructor(document: DocumentNode) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.SCALAR_TYPE_DEFINITION || definition.kind === Kind.SCALAR_TYPE_EXTENSION) {
        const name = definition.name.value;
        if (!this.#leaves.has(name)) this.#leaves.set(name, new GraphQLScalarType({ name }));
      }
    }
    for (const [name, values] of enumValues(document))
      this.#leaves.set(
        name,
        new GraphQLEnumType({ name, values: Object.fromEntries(values.map((value) => [value, {}])) }),
      );
  }

  outputOf(node: TypeNode): GraphQLOutputType {
    return node.kind === Kind.NON_NULL_TYPE
      ? new GraphQLNonNull(this.#nullableOf(node.type))
      : this.#nullableOf(node);
  }

  #nullableOf(
    node: Exclude<TypeNode, { kind: Kind.NON_NULL_TYPE }>,
  ): GraphQLNullableType & GraphQLOutputType {
    if (node.kind === Kind.LIST_TYPE) return new GraphQLList(this.outputOf(node.type));
    const name = node.name.value;
    return this.#leaves.get(name) ?? new GraphQLObjectType({ name, fields: {} });
  }
}

/** Of each enum, in all of its definitions. */
function enumValues({ definitions }: DocumentNode): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const definition of definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION && definition.kind !== Kind.ENUM_TYPE_EXTENSION)
      continue;
    const known = values.get(definition.name.value) ?? [];
    known.push(...(definition.values ?? []).map(({ name }) => name.value));
    values.set(definition.name.value, known);
  }
  return values;
}
