import type { Delegation } from '@behalf/directives';
import { type RuleTable, withoutUndefined } from '@behalf/directives/internal';
import type { GraphQLSchema } from 'graphql';
import { ErrorList } from '../client-error.js';
import type { ErrorReport } from '../subgraph-errors/log-errors.js';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import { FieldCollector } from './collect.js';
import type { Executed } from './collect.js';
import { Completion } from './complete.js';
import { DenialErrors } from './denial-errors.js';
import { FetchPlaces } from './fetch-places.js';
import type { FilteredOperation } from './filter.js';
import { MinimizedFields, selectsMinimized } from './minimized-fields.js';
import type { MinimizedField, ObjectTypes } from './minimized-fields.js';
import { ErrorPlacement } from './place-errors.js';
import { Places } from './places.js';
import { PositionRules } from './position-rules.js';
import { NO_REFUSED_FILTERS } from './selection-filter.js';
import type { ExecutionOutcome } from './types.js';

export interface CompletionInput {
  readonly schema: GraphQLSchema;
  readonly rules: RuleTable;
  readonly analysis: OperationAnalysis;
  readonly conditions: Conditions;
  readonly delegation: Delegation | undefined;
  /** Undefined if the client's operation may be executed unchanged. */
  readonly filtered: FilteredOperation | undefined;
  /** Errors with their own path, at most, per denied selection; then one that counts the others. */
  readonly maxPathsPerSelection: number;
  /** Errors of the whole response, at most; then one that counts the others. */
  readonly maxErrors: number;
  /** Whether the response lists its minimized fields. */
  readonly tellsMinimized: boolean;
}

const IGNORE = (): void => undefined;

/** Makes the response to an operation from its execution. */
export class OutcomeCompletion {
  readonly #input: CompletionInput;

  constructor(input: CompletionInput) {
    this.#input = input;
  }

  complete(outcome: ExecutionOutcome, report: (report: ErrorReport) => void = IGNORE): ExecutionOutcome {
    const { analysis, filtered, maxErrors } = this.#input;
    const errors = new ErrorList(maxErrors);
    const executed = this.#executed(filtered);
    const collector = new FieldCollector(executed);
    const { hiddenTypenameKey } = analysis;
    this.#place(outcome, { collector, errors, report, hiddenTypenameKey, isShadow: false });
    const { data } = outcome;
    // Without data there is no path at which anything could have been denied.
    if (filtered === undefined || data === undefined || data === null)
      return this.#answer(data, errors, collector, NO_TYPES);
    const denials = new DenialErrors(executed, errors, this.#input);
    const types: ObjectTypes | undefined = this.#input.tellsMinimized ? new Map() : undefined;
    const completed = new Completion(collector, denials, types).complete(data);
    denials.summarize();
    return this.#answer(completed, errors, collector, types ?? NO_TYPES);
  }

  observe(outcome: ExecutionOutcome, report: (report: ErrorReport) => void = IGNORE): ExecutionOutcome {
    const errors = new ErrorList(this.#input.maxErrors);
    const collector = new FieldCollector(this.#executed(undefined));
    this.#place(outcome, { collector, errors, report, hiddenTypenameKey: undefined, isShadow: true });
    // In shadow mode the subgraphs minimize nothing.
    return answerOf(outcome.data, errors, this.#input.tellsMinimized ? [] : undefined);
  }

  #answer(
    data: ExecutionOutcome['data'],
    errors: ErrorList,
    collector: FieldCollector,
    types: ObjectTypes,
  ): ExecutionOutcome {
    const { tellsMinimized, analysis, rules, delegation } = this.#input;
    if (!tellsMinimized || data === undefined) return answerOf(data, errors, undefined);
    const isAny = data !== null && selectsMinimized(analysis, rules, delegation);
    const minimized = isAny ? new MinimizedFields(collector, this.#input).of(data, types) : [];
    return answerOf(data, errors, minimized);
  }

  /** @param filtered Undefined for the client's own operation, in which nothing was removed or renamed. */
  #executed(filtered: FilteredOperation | undefined): Executed {
    const { schema, analysis, conditions } = this.#input;
    return {
      schema,
      analysis,
      conditions,
      removals: filtered?.removals ?? new Map(),
      executedKeyOf: filtered === undefined ? new Map() : analysis.executedKeyOf,
      refusedFilters: filtered?.refusedFilters ?? NO_REFUSED_FILTERS,
    };
  }

  #place(
    { data, errors: executionErrors = [] }: ExecutionOutcome,
    {
      collector,
      errors,
      report,
      hiddenTypenameKey,
      isShadow,
    }: {
      readonly collector: FieldCollector;
      readonly errors: ErrorList;
      readonly report: (report: ErrorReport) => void;
      readonly hiddenTypenameKey: string | undefined;
      readonly isShadow: boolean;
    },
  ): void {
    if (executionErrors.length === 0) return;
    const { rules, delegation, maxPathsPerSelection } = this.#input;
    const places = new Places(collector, data ?? null, hiddenTypenameKey);
    new ErrorPlacement({
      places,
      fetches: new FetchPlaces(places, maxPathsPerSelection),
      rules: new PositionRules(rules, collector.executed, delegation),
      errors,
      report,
      isShadow,
    }).addAll(executionErrors);
  }
}

/** For an operation that was executed unchanged: its objects are of types that the schema says. */
const NO_TYPES: ObjectTypes = new Map();

function answerOf(
  data: ExecutionOutcome['data'],
  list: ErrorList,
  minimized: readonly MinimizedField[] | undefined,
): ExecutionOutcome {
  const errors = list.toArray();
  return withoutUndefined({
    data,
    errors: errors.length === 0 ? undefined : errors,
    extensions: minimized === undefined || data === undefined ? undefined : { minimized },
  });
}
