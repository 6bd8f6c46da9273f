import {
  getIntrospectionQuery,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  Kind,
  OperationTypeNode,
  parse,
} from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLCompositeType,
  GraphQLField,
  GraphQLNamedType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import { ArgumentCosts } from './argument-costs.js';
import { add } from './count.js';
import { readStatedCosts } from './field-costs.js';
import type { ListSize, StatedCosts } from './field-costs.js';
import { isIntrospectionRoot, SchemaSizes } from './introspection-cost.js';
import type { Exceeded } from './limits.js';

/** Of an object, interface or union that the schema gives no `@cost`. Scalars and enumerations cost nothing. */
const COMPOSITE_WEIGHT = 1;
/** Of an operation that changes something, once. */
const MUTATION_WEIGHT = 10;

export interface StaticCost {
  /** By `@cost` and `@listSize`. */
  readonly cost: number;
  /** Fields of introspection that an answer would hold, by the schema's own sizes. */
  readonly introspection: number;
  /** A field was not given the one slicing argument that it needs. */
  readonly unsliced: Exceeded | undefined;
}

type Part = Omit<StaticCost, 'unsliced'>;

const NOTHING: Part = Object.freeze({ cost: 0, introspection: 0 });

/** What is stated about a field, whatever an operation asks of it. */
interface FieldFacts {
  /** Its own coordinate first; of an interface that says nothing itself, those of implementing types that say something. */
  readonly coordinates: readonly [string, ...string[]];
  readonly weight: number;
}

/**
 * What operations cost before anybody has run them, by `@cost` and `@listSize` of one supergraph as
 * https://specs.apollo.dev/cost/v0.1 has them. The numbers that the specification leaves open are Apollo Router's: 1 for an
 * object, interface or union, 0 for a scalar or enumeration, 10 for a mutation, and selections on several types of an
 * interface are added up.
 */
export class CostModel {
  readonly #stated: StatedCosts;
  readonly #sizes: SchemaSizes;
  /** Of operations that cost the same whatever their variables are. */
  readonly #fixed = new WeakMap<OperationDefinitionNode, StaticCost>();
  /** Found once for each coordinate: an interface has as many implementing types as a schema likes. */
  readonly #facts = new Map<string, FieldFacts>();
  /** Of the introspection query that tools send. */
  readonly toolIntrospection: number;

  readonly #schema: GraphQLSchema;
  readonly #listSize: number;

  /**
   * @param schema As clients see it.
   * @param listSize Assumed of a list whose size the schema does not tell.
   */
  constructor(schema: GraphQLSchema, supergraph: DocumentNode, listSize: number) {
    this.#schema = schema;
    this.#listSize = listSize;
    this.#stated = readStatedCosts(supergraph);
    this.#sizes = new SchemaSizes(schema);
    const document = parse(
      getIntrospectionQuery({
        specifiedByUrl: true,
        directiveIsRepeatable: true,
        schemaDescription: true,
        inputValueDeprecation: true,
        oneOf: true,
      }),
      { noLocation: true },
    );
    const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
    this.toolIntrospection = operation === undefined ? 0 : this.costOf(document, operation, {}).introspection;
  }

  /**
   * The document must be valid. A fragment is read once, and again where the field above tells sizes of lists in it: the
   * work is bounded by the limit on selections, which is to be looked at before.
   */
  costOf(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ): StaticCost {
    const known = this.#fixed.get(operation);
    if (known !== undefined) return known;
    const root = this.#schema.getRootType(operation.operation);
    if (root === undefined || root === null) return { ...NOTHING, unsliced: undefined };
    const given = new ArgumentCosts(this.#stated, operation, variables);
    const reading = new CostReading(
      this.#schema,
      this.#stated,
      this.#sizes,
      this.#facts,
      this.#listSize,
      given,
      fragmentsOf(document),
    );
    const part = reading.costOfSelections(operation.selectionSet, root, new Map());
    const own = operation.operation === OperationTypeNode.MUTATION ? MUTATION_WEIGHT : 0;
    const cost = { ...part, cost: add(part.cost, own), unsliced: reading.unsliced };
    if (!given.dependsOnVariables) this.#fixed.set(operation, cost);
    return cost;
  }
}

/** One operation with one set of variables. */
class CostReading {
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

  /** @param sized Sizes of lists in it that the field above tells. */
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
    // What the field above tells of sizes differs by place.
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
      // A weight may be less than nothing: it makes its own field cheap, and no other.
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

  /** Of an interface that says nothing of its field, the coordinates of types that implement it and do. */
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

  /** How many values the field gives, and what is known of the lists on them. */
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

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
}
