import { getIntrospectionQuery, Kind, OperationTypeNode, parse } from 'graphql';
import type { DocumentNode, FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { ArgumentCosts } from './argument-costs.js';
import { CostReading, NOTHING } from './cost-reading.js';
import type { FieldFacts, StaticCost } from './cost-reading.js';
import { add } from './count.js';
import { readStatedCosts } from './field-costs.js';
import type { StatedCosts } from './field-costs.js';
import { SchemaSizes } from './introspection-cost.js';

/** Of an operation that changes something, once. */
const MUTATION_WEIGHT = 10;

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

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
}
