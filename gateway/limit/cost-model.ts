import { getIntrospectionQuery, Kind, OperationTypeNode, parse } from 'graphql';
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { fragmentsOf } from '../fragments.js';
import { ArgumentCosts } from './argument-costs.js';
import { CostReading, NOTHING } from './cost-reading.js';
import type { FieldFacts, StaticCost } from './cost-reading.js';
import { add } from './count.js';
import { readStatedCosts } from './field-costs.js';
import type { StatedCosts } from './field-costs.js';
import { SchemaSizes } from './introspection-cost.js';

/** Added once to each mutation. */
const MUTATION_WEIGHT = 10;

/**
 * The cost of operations before they run, by one supergraph's `@cost` and `@listSize` as defined in
 * https://specs.apollo.dev/cost/v0.1. Numbers that the specification leaves open are Apollo Router's: 1 for an object,
 * interface or union, 0 for a scalar or enum, 10 for a mutation, and selections on several types of an interface are added.
 */
export class CostModel {
  readonly #stated: StatedCosts;
  readonly #sizes: SchemaSizes;
  /** The costs of operations that do not depend on variables. */
  readonly #fixed = new WeakMap<OperationDefinitionNode, StaticCost>();
  /** Found once per coordinate, because an interface can have any number of implementing types. */
  readonly #facts = new Map<string, FieldFacts>();
  /** The cost of the introspection query that tools send. */
  readonly toolIntrospection: number;

  readonly #schema: GraphQLSchema;
  readonly #listSize: number;

  /**
   * @param schema as clients see it
   * @param listSize assumed for a list whose size the schema does not state
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
   * The document must be valid. A fragment is read once, and again wherever the field above gives sizes for lists in it; the
   * limit on selections, which must be checked before, bounds the work.
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
