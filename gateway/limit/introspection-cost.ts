import { isEnumType, isInputObjectType, isInterfaceType, isObjectType, isUnionType, Kind } from 'graphql';
import type { FieldNode, FragmentDefinitionNode, GraphQLSchema, SelectionSetNode } from 'graphql';

/** Approximate share of wrapping types: each `ofType` applies to half of those above. */
const WRAPPED_SHARE = 0.5;

export function isIntrospectionRoot(field: string): boolean {
  return field === '__schema' || field === '__type';
}

/** Entries of each list of the introspection schema, by its field; every other field has one value. */
type ListSizes = ReadonlyMap<string, number>;

/** Below these are one or a few types of the client's choice, possibly the largest. */
const CHOOSING_FIELDS: ReadonlySet<string> = new Set([
  '__type',
  'type',
  'ofType',
  'queryType',
  'mutationType',
  'subscriptionType',
  'possibleTypes',
  'interfaces',
]);

/**
 * The number of fields in an introspection response, by the lengths of the schema's lists: the average below the list of all
 * types, which is exact in total, and the maximum below a chosen type. GraphQL's own rules limit how deeply lists nest, but not
 * how many fields are requested of each entry.
 */
export class SchemaSizes {
  readonly #average: ListSizes;
  readonly #largest: ListSizes;

  constructor(schema: GraphQLSchema) {
    const types = Object.values(schema.getTypeMap());
    const withFields = types.filter((type) => isObjectType(type) || isInterfaceType(type));
    const perType = {
      fields: withFields.map((type) => Object.keys(type.getFields()).length),
      interfaces: withFields.map((type) => type.getInterfaces().length),
      possibleTypes: types
        .filter((type) => isInterfaceType(type) || isUnionType(type))
        .map((type) => schema.getPossibleTypes(type).length),
      inputFields: types
        .filter((type) => isInputObjectType(type))
        .map((type) => Object.keys(type.getFields()).length),
      enumValues: types.filter((type) => isEnumType(type)).map((type) => type.getValues().length),
    };
    const args = withFields.flatMap((type) =>
      Object.values(type.getFields()).map((field) => field.args.length),
    );
    const ofSchema = [
      ['types', types.length],
      ['directives', schema.getDirectives().length],
      ['ofType', WRAPPED_SHARE],
    ] as const;
    this.#average = new Map([
      ...ofSchema,
      ...Object.entries(perType).map(
        ([field, sizes]) => [field, sum(sizes) / Math.max(1, types.length)] as const,
      ),
      ['args', sum(args) / Math.max(1, args.length)],
    ]);
    this.#largest = new Map([
      ...ofSchema,
      ...Object.entries({ ...perType, args }).map(([field, sizes]) => [field, largestOf(sizes)] as const),
    ]);
  }

  /** Each fragment is read once, or twice if it is spread both below the list of all types and below a chosen one. */
  costOf(root: FieldNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): number {
    return this.#ofField(root, this.#average, { fragments, known: new Map() });
  }

  #ofField({ name, selectionSet }: FieldNode, sizes: ListSizes, reading: Reading): number {
    const field = name.value;
    const sizesBelow = CHOOSING_FIELDS.has(field) ? this.#largest : sizes;
    const below = selectionSet === undefined ? 0 : this.#ofSelections(selectionSet, sizesBelow, reading);
    return Math.min((sizes.get(field) ?? 1) * (1 + below), Number.MAX_SAFE_INTEGER);
  }

  #ofSelections(set: SelectionSetNode, sizes: ListSizes, reading: Reading): number {
    let total = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) total += this.#ofField(selection, sizes, reading);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        total += this.#ofSelections(selection.selectionSet, sizes, reading);
      else total += this.#ofFragment(selection.name.value, sizes, reading);
    }
    return total;
  }

  #ofFragment(name: string, sizes: ListSizes, reading: Reading): number {
    const fragment = reading.fragments.get(name);
    if (fragment === undefined) return 0;
    const key = `${sizes === this.#largest ? 'largest' : 'average'} ${name}`;
    let cost = reading.known.get(key);
    if (cost === undefined) {
      cost = this.#ofSelections(fragment.selectionSet, sizes, reading);
      reading.known.set(key, cost);
    }
    return cost;
  }
}

/** The state of reading one operation. */
interface Reading {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly known: Map<string, number>;
}

function largestOf(sizes: readonly number[]): number {
  return sizes.reduce((largest, size) => Math.max(largest, size), 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
