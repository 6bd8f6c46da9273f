import { getNamedType, isCompositeType, isInterfaceType, isObjectType, Kind } from 'graphql';
import type { GraphQLNamedType, GraphQLSchema, SelectionSetNode } from 'graphql';
import type { SentOperation } from '../subgraph-errors/sent-operation.js';

/**
 * The schema coordinates that a subgraph was asked for, each once, in the order of the operation: what is recorded of a subgraph
 * that does not say itself what it returned. A selection under a condition that cannot be read counts as asked for.
 *
 * A field of an interface is recorded as the interface's, because only the subgraph knows the type of each row.
 *
 * @param sent of an operation that does not parse, nothing is known
 * @param schema the supergraph's, so every coordinate is the schema's and none is the client's
 */
export function askedCoordinates(
  sent: SentOperation,
  variables: Readonly<Record<string, unknown>>,
  schema: GraphQLSchema,
): readonly string[] {
  const coordinates = new Set<string>();
  /** Each fragment has one type, so reading it once is enough. */
  const visited = new Set<string>();
  /** @param type undefined where the schema does not have it, as around entities */
  const read = (set: SelectionSetNode, type: GraphQLNamedType | undefined): void => {
    for (const selection of set.selections) {
      if (sent.conditionOf(selection, variables) === false) continue;
      if (selection.kind === Kind.FIELD) {
        const inner = readField(selection.name.value, type);
        if (selection.selectionSet !== undefined) read(selection.selectionSet, inner);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (visited.has(selection.name.value)) continue;
        visited.add(selection.name.value);
      }
      const isSpread = selection.kind === Kind.FRAGMENT_SPREAD;
      const fragment = isSpread ? sent.fragment(selection.name.value) : selection;
      if (fragment === undefined) continue;
      const named = fragment.typeCondition?.name.value;
      read(fragment.selectionSet, named === undefined ? type : schema.getType(named));
    }
  };
  /** @returns the type of the field's value */
  const readField = (name: string, type: GraphQLNamedType | undefined): GraphQLNamedType | undefined => {
    if (!isObjectType(type) && !isInterfaceType(type)) return undefined;
    // A map without a prototype, so no name finds what every object has.
    const field = type.getFields()[name];
    if (field === undefined) return undefined;
    coordinates.add(`${type.name}.${name}`);
    const inner = getNamedType(field.type);
    return isCompositeType(inner) ? inner : undefined;
  };
  const root =
    sent.isForEntities || sent.operation === undefined ? undefined : schema.getRootType(sent.operation);
  for (const set of sent.roots) read(set, root ?? undefined);
  return [...coordinates];
}
