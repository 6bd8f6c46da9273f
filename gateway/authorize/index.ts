import { describeRequirement, isMet, ruleText } from '@behalf/directives';
import type { Delegation, RuleTable } from '@behalf/directives';
import { getVariableValues } from 'graphql';
import type { FieldNode, GraphQLError, GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import { comparePolicyWithSchema, describeMismatch, vocabularyOf } from '../../policy/index.js';
import type { Policy } from '../../policy/index.js';
import { analyzeOperation, Conditions } from './analysis.js';
import type { OperationAnalysis } from './analysis.js';
import { Completion, coordinateOf } from './complete.js';
import { explainDecision } from './explain.js';
import type { Explanation } from './explain.js';
import { filterOperation } from './filter.js';
import type { FilteredOperation } from './filter.js';
import { readSupergraph, SupergraphError } from './supergraph.js';
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
  /**
   * `open` (the default): a field without a rule is open, as the standard directives have it.
   * `required`: it is refused unless the schema says `@public`.
   */
  readonly coverage?: 'required' | 'open';
  /** Must name the scopes and purposes that the supergraph names. */
  readonly policy?: Policy;
}

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
 * @throws {SupergraphError} when the supergraph cannot be read or a rule in it cannot be enforced.
 */
export function createOperationAuthorizer(
  supergraphSdl: string,
  options: AuthorizerOptions = {},
): OperationAuthorizer {
  const { rules, schema, executableSdl, vocabularies, accountable, joinNames } = readSupergraph(
    supergraphSdl,
    options.coverage ?? 'open',
  );
  refuseMismatch(rules, options.policy);
  const operations = new LRUCache<string, KnownOperation>({ max: options.cachedOperations ?? 1_000 });
  const maxDecisions = options.cachedDecisions ?? 50;
  const completion = { maxPathsPerSelection: options.maxPathsPerSelection ?? 20 };

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
      decision = { filtered, denials: filtered.denied.map((node) => denialOf(analysis, node)) };
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
    if (analysis.executedKeyOf.size === 0 && met.every((isPermitted) => isPermitted)) {
      return { execute: client, unchanged: true, denials: [], complete: (outcome) => outcome };
    }
    const conditions = new Conditions(analysis, variables);
    const { filtered, denials } = decide(analysis, decisions, met, conditions);
    const errors = errorsOfRemovedVariables(schema, client, filtered, variables);
    if (errors.length > 0) {
      return { unchanged: false, denials: [], complete: () => ({ errors }) };
    }
    return {
      ...(filtered.execute === undefined ? {} : { execute: filtered.execute }),
      unchanged: false,
      denials,
      complete: (outcome) =>
        new Completion(schema, analysis, filtered, conditions, completion).complete(outcome),
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

/**
 * GraphQL section 6.1.2: an operation with a variable that is no value of its type is not executed. The gateway looks at the variables of
 * what it is given to execute, and one that only denied selections use is not among them any more.
 */
function errorsOfRemovedVariables(
  schema: GraphQLSchema,
  client: ClientOperation,
  filtered: FilteredOperation,
  variables: Readonly<Record<string, unknown>>,
): readonly GraphQLError[] {
  const defined = client.operation.variableDefinitions ?? [];
  const kept = filtered.execute?.operation.variableDefinitions ?? [];
  if (kept.length === defined.length) return [];
  return getVariableValues(schema, defined, variables).errors ?? [];
}

/** @throws {SupergraphError} */
function refuseMismatch(rules: RuleTable, policy: Policy | undefined): void {
  if (policy === undefined) return;
  const mismatch = describeMismatch(comparePolicyWithSchema(policy, vocabularyOf(rules)));
  if (mismatch !== undefined) throw new SupergraphError('SUPERGRAPH_POLICY', mismatch);
}

function denialOf(analysis: OperationAnalysis, node: FieldNode): Denial {
  const index = analysis.requirementOf.get(node);
  const requirement = index === undefined ? undefined : analysis.requirements[index];
  return {
    coordinate: coordinateOf(analysis, node),
    requires: requirement === undefined ? {} : describeRequirement(requirement),
    rule: requirement === undefined ? '' : ruleText(requirement),
  };
}
