import { isMet } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { RuleTable } from '@behalf/directives/internal';
import type { GraphQLSchema } from 'graphql';
import { comparePolicyWithSchema, describeMismatch, vocabularyOf } from '@behalf/policy';
import type { Policy } from '@behalf/policy';
import { analyzeOperation } from './analysis.js';
import { Conditions } from './conditions.js';
import { Decisions } from './decisions.js';
import { explainDecision } from './explain.js';
import type { Explanation } from './explanation.js';
import type { FilteredOperation } from './filter.js';
import { FilterRefusals } from './filter-refusals.js';
import { schemaGrants } from './grants.js';
import type { OperationAuthorizer } from './operation-authorizer.js';
import { OutcomeCompletion } from './outcome.js';
import { selectsMinimized } from './minimized-fields.js';
import { loadSupergraph, SupergraphError } from './supergraph.js';
import type { AnswerOptions, Authorization, ClientOperation } from './types.js';

export interface AuthorizerOptions {
  /** Estimated bytes of cached analyses, and as many of decisions. Default 52,428,800. */
  readonly cacheBytes?: number | undefined;
  /** Errors with a path of their own for each denied selection. Default 20. */
  readonly maxPathsPerSelection?: number | undefined;
  /** Errors of one response; then one that counts the others. Default 1,000. */
  readonly maxErrors?: number | undefined;
  /**
   * `open` (the default): a field without a rule is open, as in the standard. `required`: it is refused unless the schema says
   * `@public`.
   */
  readonly coverage?: 'required' | 'open';
  /** Must name the supergraph's scopes and purposes. */
  readonly policy?: Policy | undefined;
}

const DEFAULT_MAX_PATHS_PER_SELECTION = 20;
export const DEFAULT_MAX_ERRORS = 1_000;
const DEFAULT_CACHE_BYTES = 50 * 1024 * 1024;

/**
 * Creates the authorizer of one supergraph. Decisions are cached by their content, never by caller: only callers who meet the
 * same requirements of an operation share one filtered document.
 *
 * @throws {SupergraphError} if the supergraph cannot be read, or a rule in it cannot be enforced or can be bypassed
 */
export function createOperationAuthorizer(
  supergraphSdl: string,
  options: AuthorizerOptions = {},
): OperationAuthorizer {
  const supergraph = loadSupergraph(supergraphSdl, options.coverage ?? 'open');
  const { rules, schema, executableSdl, vocabularies, accountable, joinNames, filterInputs } = supergraph;
  refuseMismatch(rules, options.policy);
  const decisions = new Decisions(options.cacheBytes ?? DEFAULT_CACHE_BYTES, (client) =>
    analyzeOperation(client, schema, rules, joinNames, filterInputs),
  );
  const deciding: Deciding = {
    rules,
    schema,
    decisions,
    maxPathsPerSelection: options.maxPathsPerSelection ?? DEFAULT_MAX_PATHS_PER_SELECTION,
    maxErrors: options.maxErrors ?? DEFAULT_MAX_ERRORS,
  };
  return {
    executableSdl,
    schema,
    vocabularies,
    accountable,
    minimizedTypesOf: supergraph.minimizedTypesOf,
    joining: supergraph.joining,
    policies: new Set([...vocabularies.values()].flatMap((words) => [...words.policies])),
    refuseMismatch: (policy) => refuseMismatch(rules, policy),
    grants: schemaGrants(schema, rules),
    policiesOf(client) {
      const operation = decisions.read(client);
      decisions.keep(operation);
      return operation.analysis.policies;
    },
    authorize: (client, delegation, variables, options) =>
      authorize(deciding, { client, delegation, variables }, options),
    explain: (client, delegation, variables) => explain(deciding, { client, delegation, variables }),
    cached: () => decisions.kept,
  };
}

/** The parts that decide for one supergraph. */
interface Deciding {
  readonly rules: RuleTable;
  readonly schema: GraphQLSchema;
  readonly decisions: Decisions;
  readonly maxPathsPerSelection: number;
  readonly maxErrors: number;
}

/** The caller, and the operation. */
interface Asked {
  readonly client: ClientOperation;
  readonly delegation: Delegation | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

function authorize(
  { rules, schema, decisions, ...limits }: Deciding,
  { client, delegation, variables }: Asked,
  { tellsMinimized = false }: AnswerOptions = {},
): Authorization {
  const operation = decisions.read(client);
  const { analysis } = operation;
  const met = analysis.requirements.map((requirement) => isMet(requirement, delegation));
  const conditions = new Conditions(analysis, variables);
  // Only a filtered document asks for the types by which minimized fields on an interface or a union are told apart.
  const needsTypes =
    tellsMinimized && analysis.onAbstract.size > 0 && selectsMinimized(analysis, rules, delegation);
  const filters = new FilterRefusals(analysis, variables, delegation);
  const isUnchanged =
    !needsTypes &&
    analysis.executedKeyOf.size === 0 &&
    met.every((isPermitted) => isPermitted) &&
    filters.areNone;
  if (isUnchanged) decisions.keep(operation);
  // An operation that is denied whole needs no token, and could otherwise fill the cache.
  const keeps = ({ execute }: FilteredOperation): boolean =>
    delegation !== undefined || execute !== undefined;
  const decision = isUnchanged ? undefined : decisions.decide(operation, met, conditions, filters, keeps);
  const completion = new OutcomeCompletion({
    schema,
    rules,
    analysis,
    conditions,
    delegation,
    filtered: decision?.filtered,
    tellsMinimized,
    ...limits,
  });
  return {
    execute: decision === undefined ? client : decision.filtered.execute,
    unchanged: isUnchanged,
    denials: decision?.denials ?? [],
    complete: (outcome, report) => completion.complete(outcome, report),
    observe: (outcome, report) => completion.observe(outcome, report),
  };
}

function explain(
  { rules, schema, decisions }: Deciding,
  { client, delegation, variables }: Asked,
): Explanation {
  const operation = decisions.read(client);
  const { analysis } = operation;
  const met = analysis.requirements.map((requirement) => isMet(requirement, delegation));
  const conditions = new Conditions(analysis, variables);
  const filters = new FilterRefusals(analysis, variables, delegation);
  // An administrator may ask about operations that nobody ever runs.
  const { filtered } = decisions.decide(operation, met, conditions, filters, () => false);
  return explainDecision({ analysis, conditions, filters, schema, rules, filtered, delegation });
}

/** @throws {SupergraphError} */
function refuseMismatch(rules: RuleTable, policy: Policy | undefined): void {
  if (policy === undefined) return;
  const mismatch = describeMismatch(comparePolicyWithSchema(policy, vocabularyOf(rules)));
  if (mismatch !== undefined) throw new SupergraphError('SUPERGRAPH_POLICY', mismatch);
}
