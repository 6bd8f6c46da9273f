import { getNamedType, isAbstractType, isInterfaceType, isObjectType, Kind, parse, print } from 'graphql';
import type { FieldNode, GraphQLNamedType, GraphQLSchema, SelectionNode, SelectionSetNode } from 'graphql';
import type { MinimizedType } from '../supergraph/minimized-types.js';

/** The operation for a subgraph whose answer is minimized here. */
export interface MinimizedQuery {
  /** With the fields that minimizing needs, under keys of their own. */
  readonly query: string;
  /** The beginning of these keys; the field's name follows. */
  readonly prefix: string;
}

const TYPENAME = '__typename';
/** Its answers are of any type that has a key; the supergraph does not have it. */
const ENTITIES = '_entities';

/**
 * Adds to an operation what minimizing its answer needs: the type of each object on an interface or a union, and the key and owner
 * of each object with minimized fields. Otherwise noise would depend on whether a client selects the key, and two draws would tell
 * more than one. The added members never leave the gateway: an answer is then reduced to what was requested.
 *
 * @param types of the subgraph that have minimized fields
 * @param schema of the supergraph
 * @returns undefined if no minimized field is selected
 * @throws {GraphQLError} if the text does not parse
 */
export function withHiddenFields(
  query: string,
  types: ReadonlyMap<string, MinimizedType>,
  schema: GraphQLSchema,
): MinimizedQuery | undefined {
  let prefix = '__behalf_own_';
  while (query.includes(prefix)) prefix += '_';
  return new HiddenFields(types, schema, prefix).addTo(query);
}

class HiddenFields {
  #isMinimized = false;
  readonly #types: ReadonlyMap<string, MinimizedType>;
  readonly #schema: GraphQLSchema;
  readonly #prefix: string;

  constructor(types: ReadonlyMap<string, MinimizedType>, schema: GraphQLSchema, prefix: string) {
    this.#types = types;
    this.#schema = schema;
    this.#prefix = prefix;
  }

  addTo(query: string): MinimizedQuery | undefined {
    const document = parse(query, { noLocation: true });
    const definitions = document.definitions.map((definition) => {
      if (definition.kind === Kind.OPERATION_DEFINITION) {
        const root = this.#schema.getRootType(definition.operation) ?? undefined;
        return { ...definition, selectionSet: this.#visit(definition.selectionSet, root) };
      }
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) return definition;
      const type = this.#schema.getType(definition.typeCondition.name.value);
      return { ...definition, selectionSet: this.#visit(definition.selectionSet, type) };
    });
    return this.#isMinimized
      ? { query: print({ ...document, definitions }), prefix: this.#prefix }
      : undefined;
  }

  /** @param parent undefined where the schema does not have it */
  #visit(set: SelectionSetNode, parent: GraphQLNamedType | undefined, isEntities = false): SelectionSetNode {
    const selections = set.selections.map((selection) => this.#visitSelection(selection, parent));
    const needsType = isEntities || isAbstractType(parent);
    const hidden = [
      ...(needsType ? [this.#hidden(TYPENAME)] : []),
      ...this.#typesOn(parent).flatMap((type) => this.#neededOn(type, set, parent)),
    ];
    return { ...set, selections: [...selections, ...hidden] };
  }

  #visitSelection(selection: SelectionNode, parent: GraphQLNamedType | undefined): SelectionNode {
    if (selection.kind === Kind.FRAGMENT_SPREAD || selection.selectionSet === undefined) return selection;
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const condition = selection.typeCondition?.name.value;
      const type = condition === undefined ? parent : this.#schema.getType(condition);
      return { ...selection, selectionSet: this.#visit(selection.selectionSet, type) };
    }
    const name = selection.name.value;
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    const inner = field === undefined ? undefined : getNamedType(field.type);
    return {
      ...selection,
      selectionSet: this.#visit(selection.selectionSet, inner, field === undefined && name === ENTITIES),
    };
  }

  /** The types with minimized fields that a selection on `parent` can be answered on. */
  #typesOn(parent: GraphQLNamedType | undefined): readonly MinimizedType[] {
    if (parent === undefined) return [];
    const own = this.#types.get(parent.name);
    const others = isInterfaceType(parent)
      ? [...this.#types.values()].filter(({ interfaces }) => interfaces.has(parent.name))
      : [];
    return own === undefined ? others : [own, ...others];
  }

  #neededOn(
    type: MinimizedType,
    { selections }: SelectionSetNode,
    parent: GraphQLNamedType | undefined,
  ): readonly SelectionNode[] {
    const minimized = selections.flatMap((selection) =>
      selection.kind === Kind.FIELD ? (type.fields.get(selection.name.value) ?? []) : [],
    );
    if (minimized.length === 0) return [];
    this.#isMinimized = true;
    const statements = minimized.flatMap((each) => each.statements);
    const names = [
      ...(statements.some(({ to }) => to === 'NOISE') ? type.key : []),
      ...(statements.some(({ to }) => to === 'NOISE' || to === 'SHIFT') && type.owner?.field !== undefined
        ? [type.owner.field]
        : []),
    ];
    const fields = [...new Set(names)].map((name) => this.#hidden(name));
    if (fields.length === 0 || type.name === parent?.name) return fields;
    return [
      {
        kind: Kind.INLINE_FRAGMENT,
        typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type.name } },
        selectionSet: { kind: Kind.SELECTION_SET, selections: fields },
      },
    ];
  }

  #hidden(name: string): FieldNode {
    return {
      kind: Kind.FIELD,
      alias: { kind: Kind.NAME, value: `${this.#prefix}${name}` },
      name: { kind: Kind.NAME, value: name },
    };
  }
}
