import {
  getDirectiveValues,
  getNamedType,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  valueFromASTUntyped,
} from 'graphql';
import type {
  DocumentNode,
  FragmentDefinitionNode,
  GraphQLDirective,
  GraphQLNamedType,
  GraphQLSchema,
  SelectionNode,
  SelectionSetNode,
  VariableDefinitionNode,
} from 'graphql';

/**
 * The schema coordinates that a subgraph was asked for, each once, in the order of the operation: what is recorded of a subgraph
 * that does not say itself what it returned.
 *
 * A field of an interface is recorded as the interface's, because only the subgraph knows the type of each row.
 *
 * @param query the operation that was sent. Of one that does not parse, nothing is known
 * @param schema the supergraph's, so every coordinate is the schema's and none is the client's
 */
export function askedCoordinates(
  query: string | undefined,
  variables: Readonly<Record<string, unknown>> | undefined,
  schema: GraphQLSchema,
): readonly string[] {
  const document = parseOrNothing(query);
  if (document === undefined) return [];
  const reader = new AskedReader(document, variables ?? {}, schema);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    reader.useDefaults(definition.variableDefinitions ?? []);
    reader.read(definition.selectionSet, schema.getRootType(definition.operation) ?? undefined);
  }
  return [...reader.coordinates];
}

class AskedReader {
  readonly coordinates = new Set<string>();
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  /** Each fragment has one type, so reading it once is enough. */
  readonly #visited = new Set<string>();
  #variables: Readonly<Record<string, unknown>>;
  readonly #schema: GraphQLSchema;

  constructor(document: DocumentNode, variables: Readonly<Record<string, unknown>>, schema: GraphQLSchema) {
    this.#variables = variables;
    this.#schema = schema;
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        this.#fragments.set(definition.name.value, definition);
  }

  /** Variables that were not sent have their defaults. */
  useDefaults(definitions: readonly VariableDefinitionNode[]): void {
    const defaults = definitions.flatMap(({ defaultValue, variable }) =>
      defaultValue === undefined ? [] : [[variable.name.value, valueFromASTUntyped(defaultValue)] as const],
    );
    this.#variables = { ...Object.fromEntries(defaults), ...this.#variables };
  }

  /** @param type undefined where the schema does not have it, as around `_entities` */
  read(set: SelectionSetNode, type: GraphQLNamedType | undefined): void {
    for (const selection of set.selections) {
      if (this.#isLeftOut(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const inner = this.#readField(selection.name.value, type);
        if (selection.selectionSet !== undefined) this.read(selection.selectionSet, inner);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        this.read(selection.selectionSet, condition === undefined ? type : this.#schema.getType(condition));
      } else this.#readFragment(selection.name.value);
    }
  }

  #readFragment(name: string): void {
    const fragment = this.#fragments.get(name);
    if (fragment === undefined || this.#visited.has(name)) return;
    this.#visited.add(name);
    this.read(fragment.selectionSet, this.#schema.getType(fragment.typeCondition.name.value));
  }

  /** @returns the type of the field's value */
  #readField(name: string, type: GraphQLNamedType | undefined): GraphQLNamedType | undefined {
    if (!isObjectType(type) && !isInterfaceType(type)) return undefined;
    // A map without a prototype, so no name finds what every object has.
    const field = type.getFields()[name];
    if (field === undefined) return undefined;
    this.coordinates.add(`${type.name}.${name}`);
    const inner = getNamedType(field.type);
    return isCompositeType(inner) ? inner : undefined;
  }

  #isLeftOut(selection: SelectionNode): boolean {
    if (selection.directives === undefined || selection.directives.length === 0) return false;
    return (
      this.#condition(GraphQLSkipDirective, selection) === true ||
      this.#condition(GraphQLIncludeDirective, selection) === false
    );
  }

  /** @returns undefined for a condition that is not there, or cannot be read: the field then counts as asked for */
  #condition(directive: GraphQLDirective, selection: SelectionNode): unknown {
    try {
      return getDirectiveValues(directive, selection, this.#variables)?.if;
    } catch {
      return undefined;
    }
  }
}

function parseOrNothing(query: string | undefined): DocumentNode | undefined {
  try {
    return parse(query ?? '', { noLocation: true });
  } catch {
    return undefined;
  }
}
