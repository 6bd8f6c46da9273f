import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import type { CostModel } from './cost-model.js';
import type { StaticCost } from './cost-reading.js';
import { countDocument } from './count.js';
import type { OperationCounts } from './count.js';
import {
  DEFAULT_LIMITS,
  firstExceeded,
  MAX_DIRECTIVES_PER_LOCATION,
  MAX_INTROSPECTION_RATIO,
  MAX_LINES,
  MAX_NESTING,
} from './limits.js';
import type { Exceeded, LimitName, OperationLimits } from './limits.js';
import { countOverlaps } from './overlaps.js';
import { scanText } from './scan.js';
import { countValues } from './values.js';

/** An operation within its limits, and its weight. */
export interface MeasuredOperation {
  readonly rootFields: number;
  readonly cost: number;
}

/** The one place that judges the size of operations. Each method returns the first exceeded limit. */
export class OperationLimiter {
  readonly limits: OperationLimits;
  readonly #documentLimits: Readonly<Partial<Record<LimitName, number>>>;

  /** Documents that were within the limits before. */
  readonly #within = new WeakSet<DocumentNode>();

  constructor(limits: Partial<OperationLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#documentLimits = {
      ...this.limits,
      nesting: MAX_NESTING,
      lines: MAX_LINES,
      directivesPerLocation: MAX_DIRECTIVES_PER_LOCATION,
    };
  }

  /**
   * Before the text is parsed.
   *
   * @param tokensBefore of other operations in the same HTTP request
   */
  scan(text: string, tokensBefore = 0): { readonly tokens: number; readonly exceeded: Exceeded | undefined } {
    const { tokens, nesting, lines } = scanText(text);
    const numbers = { tokens: tokensBefore + tokens, nesting, lines };
    return { tokens, exceeded: firstExceeded(numbers, this.#documentLimits) };
  }

  /**
   * Before the document is validated, so it covers all definitions.
   *
   * @throws {GraphQLError} for a fragment cycle
   */
  checkDocument(document: DocumentNode): Exceeded | undefined {
    const { definitions } = this.limits;
    // Checked before counting, which follows a chain of fragments to its end.
    const defined = firstExceeded({ definitions: document.definitions.length }, { definitions });
    if (defined !== undefined) return defined;
    if (this.#within.has(document)) return undefined;
    const { largest, conditions, directivesPerLocation, nameLength, selections, roots } =
      countDocument(document);
    const counts = { ...largest, selections, conditions, directivesPerLocation, nameLength };
    const exceeded =
      firstExceeded(counts, this.#documentLimits) ??
      firstExceeded({ overlaps: countOverlaps(document, roots) }, this.#documentLimits);
    if (exceeded === undefined) this.#within.add(document);
    return exceeded;
  }

  checkVariables(variables: unknown): Exceeded | undefined {
    return firstExceeded({ ...countValues(variables) }, this.#documentLimits);
  }

  /** For the operation that is to run, after {@link checkDocument} passed. */
  measure(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
    costs: CostModel,
  ): { readonly measured: MeasuredOperation; readonly exceeded: Exceeded | undefined } {
    const counts: OperationCounts | undefined = countDocument(document).operations.get(operation);
    if (counts === undefined) throw new Error('the operation is not one of its document');
    const cost = costs.costOf(document, operation, variables);
    return {
      measured: { rootFields: counts.rootFields, cost: cost.cost },
      exceeded: this.#exceededCost(cost, costs),
    };
  }

  #exceededCost({ cost, introspection, unsliced }: StaticCost, costs: CostModel): Exceeded | undefined {
    return (
      unsliced ??
      firstExceeded(
        { cost, introspection: Math.round(introspection) },
        {
          cost: this.limits.cost,
          introspection: Math.round(costs.toolIntrospection * MAX_INTROSPECTION_RATIO),
        },
      )
    );
  }
}
