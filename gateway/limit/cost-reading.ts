import { getNamedType, getNullableType, isAbstractType, isCompositeType, isListType, Kind } from 'graphql';
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLCompositeType,
  GraphQLField,
  GraphQLNamedType,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import type { ArgumentCosts } from './argument-costs.js';
import { add } from './count.js';
import type { ListSize, StatedCosts } from './field-costs.js';
import { isIntrospectionRoot } from './introspection-cost.js';
import type { SchemaSizes } from './introspection-cost.js';
import type { Exceeded } from './limits.js';

/** The cost of an object, interface or union without `@cost`. Scalars and enums cost nothing. */
const COMPOSITE_WEIGHT = 1;
export interface StaticCost {
  /** By `@cost` and `@listSize`. */
  readonly cost: number;
  /** Fields of introspection in the response, by the schema's own sizes. */
  readonly introspection: number;
  /** A field without exactly one of its required slicing arguments. */
  readonly unsliced: Exceeded | undefined;
}

type Part = Omit<StaticCost, 'unsliced'>;

export const NOTHING: Part = Object.freeze({ cost: 0, introspection: 0 });

/** A field's costs, independent of any operation. */
export interface FieldFacts {
  /** Its own coordinate first; for an interface without a statement, those of implementing types with one. */
  readonly coordinates: readonly [string, ...string[]];
  readonly weight: number;
}

/** Reads what one operation costs with one set of variables. */
export class CostReading {
  unsliced: Exceeded | undefined;
  readonly #ofFragments = new Map<string, Part>();
  readonly #schema: GraphQLSchema;
  readonly #stated: StatedCosts;
  readonly #sizes: SchemaSizes;
  readonly #facts: Map<string, FieldFacts>;
  readonly #listSize: number;
  readonly #given: ArgumentCosts;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;

  constructor(
    schema: GraphQLSchema,
    stated: StatedCosts,
    sizes: SchemaSizes,
    facts: Map<string, FieldFacts>,
    listSize: number,
    given: ArgumentCosts,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  ) {
    this.#schema = schema;
    this.#stated = stated;
    this.#sizes = sizes;
    this.#facts = facts;
    this.#listSize = listSize;
    this.#given = given;
    this.#fragments = fragments;
  }

  /** @param sized list sizes that the field above gives */
  costOfSelections(
    set: SelectionSetNode,
    parent: GraphQLCompositeType,
    sized: ReadonlyMap<string, number>,
  ): Part {
    let total = NOTHING;
    for (const selection of set.selections) {
      let part: Part;
      if (selection.kind === Kind.FIELD) part = this.#costOfField(selection, parent, sized);
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const type = this.#typeNamed(selection.typeCondition?.name.value, parent);
        part = this.costOfSelections(selection.selectionSet, type, sized);
      } else part = this.#costOfFragment(selection.name.value, sized);
      total = plus(total, part);
    }
    return total;
  }

  #costOfFragment(name: string, sized: ReadonlyMap<string, number>): Part {
    // The field above gives different sizes at different places.
    const known = sized.size === 0 ? this.#ofFragments.get(name) : undefined;
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    if (fragment === undefined) return NOTHING;
    const type = this.#typeNamed(fragment.typeCondition.name.value, undefined);
    const part = type === undefined ? NOTHING : this.costOfSelections(fragment.selectionSet, type, sized);
    if (sized.size === 0) this.#ofFragments.set(name, part);
    return part;
  }

  #costOfField(node: FieldNode, parent: GraphQLCompositeType, sized: ReadonlyMap<string, number>): Part {
    const name = node.name.value;
    if (parent === this.#schema.getQueryType() && isIntrospectionRoot(name))
      return { cost: 0, introspection: this.#sizes.costOf(node, this.#fragments) };
    const field = 'getFields' in parent ? parent.getFields()[name] : undefined;
    if (field === undefined) return NOTHING;
    const returned = getNamedType(field.type);
    const { coordinates, weight } = this.#factsOf(parent, name, returned);
    const { count, sizedBelow } = this.#sizeOf(node, field, coordinates, sized.get(name));
    const below =
      node.selectionSet !== undefined && isCompositeType(returned)
        ? this.costOfSelections(node.selectionSet, returned, sizedBelow)
        : NOTHING;
    const own = this.#given.costOf(node, field, coordinates[0]);
    const each = add(weight, below.cost);
    return {
      // A weight may be negative: it makes its own field cheaper, and no other.
      cost: Math.max(0, add(times(each, count), own)),
      introspection: times(below.introspection, count),
    };
  }

  #factsOf(parent: GraphQLCompositeType, field: string, returned: GraphQLNamedType): FieldFacts {
    const own = `${parent.name}.${field}`;
    let facts = this.#facts.get(own);
    if (facts === undefined) {
      const coordinates = [own, ...this.#statedBelow(parent, field)] as const;
      facts = { coordinates, weight: this.#weightOf(coordinates, returned) };
      this.#facts.set(own, facts);
    }
    return facts;
  }

  /** For an interface without a statement on its field, the coordinates of implementing types with one. */
  #statedBelow(parent: GraphQLCompositeType, field: string): readonly string[] {
    const own = `${parent.name}.${field}`;
    const { weights, listSizes } = this.#stated;
    if (!isAbstractType(parent) || weights.has(own) || listSizes.has(own)) return [];
    return this.#schema
      .getPossibleTypes(parent)
      .map((type) => `${type.name}.${field}`)
      .filter((coordinate) => weights.has(coordinate) || listSizes.has(coordinate));
  }

  #weightOf(coordinates: readonly string[], returned: GraphQLNamedType): number {
    const { weights } = this.#stated;
    const ofField = coordinates.flatMap((coordinate) => weights.get(coordinate) ?? []);
    if (ofField.length > 0) return Math.max(...ofField);
    if (!isCompositeType(returned)) return weights.get(returned.name) ?? 0;
    const types = isAbstractType(returned)
      ? [returned, ...this.#schema.getPossibleTypes(returned)]
      : [returned];
    const ofTypes = types.flatMap(({ name }) => weights.get(name) ?? []);
    return ofTypes.length > 0 ? Math.max(...ofTypes) : COMPOSITE_WEIGHT;
  }

  /** The number of the field's values, and the known sizes of lists on them. */
  #sizeOf(
    node: FieldNode,
    field: GraphQLField<unknown, unknown>,
    coordinates: readonly string[],
    fromAbove: number | undefined,
  ): { readonly count: number; readonly sizedBelow: ReadonlyMap<string, number> } {
    const isList = isListType(getNullableType(field.type));
    let count = isList ? (fromAbove ?? undefined) : 1;
    const sizedBelow = new Map<string, number>();
    for (const coordinate of coordinates) {
      const listSize = this.#stated.listSizes.get(coordinate);
      if (listSize === undefined) continue;
      const size = this.#toldSize(node, field, coordinate, listSize) ?? this.#listSize;
      for (const name of listSize.sizedFields)
        sizedBelow.set(name, Math.max(size, sizedBelow.get(name) ?? 0));
      if (isList && fromAbove === undefined) count = Math.max(size, count ?? 0);
    }
    return { count: count ?? this.#listSize, sizedBelow };
  }

  #toldSize(
    node: FieldNode,
    field: GraphQLField<unknown, unknown>,
    coordinate: string,
    { assumedSize, slicingArguments, requireOneSlicingArgument }: ListSize,
  ): number | undefined {
    const slices = slicingArguments.flatMap((name) => this.#given.slice(node, field, name) ?? []);
    if (slicingArguments.length > 0 && requireOneSlicingArgument && slices.length !== 1) {
      this.unsliced ??= { limit: 'slicingArguments', maximum: 1, actual: slices.length, at: coordinate };
    }
    return slices.length > 0 ? Math.max(...slices) : assumedSize;
  }

  #typeNamed<Otherwise extends GraphQLCompositeType | undefined>(
    name: string | undefined,
    otherwise: Otherwise,
  ): GraphQLCompositeType | Otherwise {
    const type = name === undefined ? undefined : this.#schema.getType(name);
    return isCompositeType(type) ? type : otherwise;
  }
}

function plus(one: Part, other: Part): Part {
  return {
    cost: add(one.cost, other.cost),
    introspection: add(one.introspection, other.introspection),
  };
}

function times(value: number, count: number): number {
  return Math.min(value * count, Number.MAX_SAFE_INTEGER);
}
