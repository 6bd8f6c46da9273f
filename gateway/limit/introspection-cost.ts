import { isEnumType, isInputObjectType, isInterfaceType, isObjectType, isUnionType, Kind } from 'graphql';
import type { FieldNode, FragmentDefinitionNode, GraphQLSchema, SelectionSetNode } from 'graphql';

/** Share of the types that wrap another one, roughly: each `ofType` asks what half of those above have. */
const WRAPPED_SHARE = 0.5;

export function isIntrospectionRoot(field: string): boolean {
  return field === '__schema' || field === '__type';
}

/**
 * How many fields an answer to introspection holds, by how long the schema's lists are on the average. GraphQL's own rules
 * bound how deep the lists may stand in each other, and not how many fields are asked for on each entry.
 */
export class SchemaSizes {
  /** Entries of each list of the introspection schema, by its field; every other field gives one value. */
  private readonly sizes: ReadonlyMap<string, number>;

  constructor(schema: GraphQLSchema) {
    const types = Object.values(schema.getTypeMap());
    const withFields = types.filter((type) => isObjectType(type) || isInterfaceType(type));
    const fields = withFields.flatMap((type) => Object.values(type.getFields()));
    const inputs = types.filter((type) => isInputObjectType(type));
    const enums = types.filter((type) => isEnumType(type));
    const abstract = types.filter((type) => isInterfaceType(type) || isUnionType(type));
    const perType = (count: number): number => count / Math.max(1, types.length);
    this.sizes = new Map([
      ['types', types.length],
      ['directives', schema.getDirectives().length],
      ['fields', perType(fields.length)],
      ['args', sum(fields.map(({ args }) => args.length)) / Math.max(1, fields.length)],
      ['interfaces', perType(sum(withFields.map((type) => type.getInterfaces().length)))],
      ['possibleTypes', perType(sum(abstract.map((type) => schema.getPossibleTypes(type).length)))],
      ['inputFields', perType(sum(inputs.map((type) => Object.keys(type.getFields()).length)))],
      ['enumValues', perType(sum(enums.map((type) => type.getValues().length)))],
      ['ofType', WRAPPED_SHARE],
    ]);
  }

  /** Each fragment is read once. */
  costOf(root: FieldNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): number {
    const known = new Map<string, number>();
    return this.ofField(root, fragments, known);
  }

  private ofField(
    { name, selectionSet }: FieldNode,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    known: Map<string, number>,
  ): number {
    const below = selectionSet === undefined ? 0 : this.ofSelections(selectionSet, fragments, known);
    return Math.min((this.sizes.get(name.value) ?? 1) * (1 + below), Number.MAX_SAFE_INTEGER);
  }

  private ofSelections(
    set: SelectionSetNode,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    known: Map<string, number>,
  ): number {
    let total = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) total += this.ofField(selection, fragments, known);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        total += this.ofSelections(selection.selectionSet, fragments, known);
      else {
        const name = selection.name.value;
        const fragment = fragments.get(name);
        let cost = known.get(name);
        if (cost === undefined && fragment !== undefined) {
          cost = this.ofSelections(fragment.selectionSet, fragments, known);
          known.set(name, cost);
        }
        total += cost ?? 0;
      }
    }
    return total;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
