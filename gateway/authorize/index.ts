import { describeRequirement, isMet, ruleText } from '@behalf/directives';
import type { Delegation, RuleTable } from '@behalf/directives';
import type { FieldNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import { comparePolicyWithSchema, describeMismatch, vocabularyOf } from '../../policy/index.js';
import type { Policy } from '../../policy/index.js';
import { analyzeOperation, Conditions } from './analysis.js';
import type { OperationAnalysis } from './analysis.js';
import { coordinateOf } from './denial-errors.js';
import { OutcomeCompletion } from './outcome.js';
import { explainDecision } from './explain.js';
import type { Explanation } from './explain.js';
import { filterOperation } from './filter.js';
import type { FilteredOperation } from './filter.js';
import { loadSupergraph, SupergraphError } from './supergraph.js';
import { schemaGrants } from './grants.js';
import type { Authorization, ClientOperation, Denial, OperationAuthorizer } from './types.js';

export type {
  ExplainedMinimization,
  ExplainedRule,
  ExplainedSelection,
  Explanation,
  Needs,
  SelectionDecision,
} from './explain.js';
export { SupergraphError, type SupergraphErrorCode } from './supergraph.js';
export type { ErrorReport } from './place-errors.js';
export type {
  AccountableField,
  Authorization,
  ClientOperation,
  Denial,
  ExecutionOutcome,
  OperationAuthorizer,
  SchemaGrants,
  SubgraphVocabulary,
} from './types.js';

export interface AuthorizerOptions {
  /** Operations whose analysis is kept. Default 1,000. */
  readonly cachedOperations?: number;
  /** Distinct decisions that are kept for each of them. Default 50. */
  readonly cachedDecisions?: number;
  /** Errors with a path of their own for each denied selection. Default 20. */
  readonly maxPathsPerSelection?: number;
  /** Errors of one answer; then one that counts the others. Default 1,000. */
  readonly maxErrors?: number;
  /**
   * `open` (the default): a field without a rule is open, as the standard directives have it.
   * `required`: it is refused unless the schema says `@public`.
   */
  readonly coverage?: 'required' | 'open';
  /** Must name the scopes and purposes that the supergraph names. */
  readonly policy?: Policy;
}

const DEFAULT_MAX_PATHS_PER_SELECTION = 20;
export const DEFAULT_MAX_ERRORS = 1_000;

interface KnownOperation {
  readonly analysis: OperationAnalysis;
  readonly decisions: LRUCache<string, Decision>;
}

interface Decision {
  readonly filtered: FilteredOperation;
  readonly denials: readonly Denial[];
}

/**
 * Makes the authorizer of one supergraph. Decisions are found by what was decided, never by who asked: callers who
 * meet the same of an operation's requirements share one filtered document, and no others do.
 *
 * @throws {SupergraphError} when the supergraph cannot be read, or a rule in it cannot be enforced or can be got around.
 */
export function createOperationAuthorizer(
  supergraphSdl: string,
  options: AuthorizerOptions = {},
): OperationAuthorizer {
  const { rules, schema, executableSdl, vocabularies, accountable, joinNames } = loadSupergraph(
    supergraphSdl,
    options.coverage ?? 'open',
  );
  refuseMismatch(rules, options.policy);
  const operations = new LRUCache<string, KnownOperation>({ max: options.cachedOperations ?? 1_000 });
  const maxDecisions = options.cachedDecisions ?? 50;
  const limits = {
    maxPathsPerSelection: options.maxPathsPerSelection ?? DEFAULT_MAX_PATHS_PER_SELECTION,
    maxErrors: options.maxErrors ?? DEFAULT_MAX_ERRORS,
  };

  function known(client: ClientOperation): KnownOperation {
    const key = `${client.queryHash} ${client.operation.name?.value ?? ''}`;
    let entry = operations.get(key);
    if (entry === undefined) {
      entry = {
        analysis: analyzeOperation(client, schema, rules, joinNames),
        decisions: new LRUCache<string, Decision>({ max: maxDecisions }),
      };
      operations.set(key, entry);
    }
    return entry;
  }

  function decide(
    analysis: OperationAnalysis,
    decisions: LRUCache<string, Decision>,
    met: readonly boolean[],
    conditions: Conditions,
  ): Decision {
    const key = `${met.map((isPermitted) => (isPermitted ? '1' : '0')).join('')} ${conditions.key}`;
    let decision = decisions.get(key);
    if (decision === undefined) {
      // `met` has an entry for every requirement; only exactly true permits.
      const filtered = filterOperation(analysis, (index) => met[index] === true, conditions);
      decision = { filtered, denials: denialsOf(analysis, filtered.denied) };
      decisions.set(key, decision);
    }
    return decision;
  }

  function explain(
    client: ClientOperation,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
  ): Explanation {
    const { analysis, decisions } = known(client);
    const met = analysis.requirements.map((requirement) => isMet(requirement, delegation));
    const conditions = new Conditions(analysis, variables);
    const { filtered } = decide(analysis, decisions, met, conditions);
    return explainDecision({ analysis, conditions, schema, rules, filtered, delegation });
  }

  function authorize(
    client: ClientOperation,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
  ): Authorization {
    const { analysis, decisions } = known(client);
    const met = analysis.requirements.map((requirement) => isMet(requirement, delegation));
    const conditions = new Conditions(analysis, variables);
    const isUnchanged = analysis.executedKeyOf.size === 0 && met.every((isPermitted) => isPermitted);
    const decision = isUnchanged ? undefined : decide(analysis, decisions, met, conditions);
    const completion = new OutcomeCompletion({
      schema,
      rules,
      analysis,
      conditions,
      delegation,
      filtered: decision?.filtered,
      ...limits,
    });
    const execute = decision === undefined ? client : decision.filtered.execute;
    return {
      ...(execute === undefined ? {} : { execute }),
      unchanged: isUnchanged,
      denials: decision?.denials ?? [],
      complete: (outcome, report) => completion.complete(outcome, report),
      observe: (outcome, report) => completion.observe(outcome, report),
    };
  }

  return {
    executableSdl,
    schema,
    vocabularies,
    accountable,
    policies: new Set([...vocabularies.values()].flatMap((words) => [...words.policies])),
    grants: schemaGrants(schema, rules),
    policiesOf: (client) => known(client).analysis.policies,
    authorize,
    explain,
  };
}

/** @throws {SupergraphError} */
function refuseMismatch(rules: RuleTable, policy: Policy | undefined): void {
  if (policy === undefined) return;
  const mismatch = describeMismatch(comparePolicyWithSchema(policy, vocabularyOf(rules)));
  if (mismatch !== undefined) throw new SupergraphError('SUPERGRAPH_POLICY', mismatch);
}

/** By coordinate: a document of many aliases denies one field many times. */
function denialsOf(analysis: OperationAnalysis, denied: readonly FieldNode[]): readonly Denial[] {
  const merged = new Map<string, { readonly node: FieldNode; selections: number }>();
  for (const node of denied) {
    const coordinate = coordinateOf(analysis, node);
    const known = merged.get(coordinate);
    if (known === undefined) merged.set(coordinate, { node, selections: 1 });
    else known.selections += 1;
  }
  return [...merged].map(([coordinate, { node, selections }]) => {
    const index = analysis.requirementOf.get(node);
    const requirement = index === undefined ? undefined : analysis.requirements[index];
    return {
      coordinate,
      requires: requirement === undefined ? {} : describeRequirement(requirement),
      rule: requirement === undefined ? '' : ruleText(requirement),
      selections,
    };
  });
}
