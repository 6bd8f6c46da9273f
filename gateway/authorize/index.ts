import { describeRequirement, isMet, ruleText } from '@behalf/directives';
import type { Delegation, RuleTable } from '@behalf/directives';
import { getVariableValues } from 'graphql';
import type { FieldNode, GraphQLError, GraphQLSchema } from 'graphql';
import { comparePolicyWithSchema, describeMismatch, vocabularyOf } from '../../policy/index.js';
import type { Policy } from '../../policy/index.js';
import { BYTES_PER_CHARACTER, ByteCache, documentLength } from '../limit/index.js';
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
  Authorization,
  ClientOperation,
  Denial,
  ExecutionOutcome,
  OperationAuthorizer,
  SchemaGrants,
  SubgraphVocabulary,
} from './types.js';

export interface AuthorizerOptions {
  /**
   * Bytes, estimated, of the operations whose analysis is kept, and as many of the decisions on them. Default
   * 52,428,800.
   */
  readonly cacheBytes?: number;
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

const DEFAULT_CACHE_BYTES = 50 * 1024 * 1024;

interface KnownOperation {
  readonly key: string;
  readonly analysis: OperationAnalysis;
  /** Of its document's text. */
  readonly characters: number;
}

interface Decision {
  /** That it was made by. */
  readonly analysis: OperationAnalysis;
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
  const { rules, schema, executableSdl, vocabularies, joinNames } = readSupergraph(
    supergraphSdl,
    options.coverage ?? 'open',
  );
  refuseMismatch(rules, options.policy);
  const cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
  const operations = new ByteCache<KnownOperation>(cacheBytes);
  const decisions = new ByteCache<Decision>(cacheBytes);
  const completion = { maxPathsPerSelection: options.maxPathsPerSelection ?? 20 };

  /** An operation that was seen before, or is seen now and not kept yet. */
  function read(client: ClientOperation): KnownOperation {
    const key = `${client.queryHash} ${client.operation.name?.value ?? ''}`;
    return (
      operations.get(key) ?? {
        key,
        analysis: analyzeOperation(client, schema, rules, joinNames),
        characters: documentLength(client.document),
      }
    );
  }

  function keep(operation: KnownOperation): void {
    if (operations.get(operation.key) !== undefined) return;
    const perCharacter = BYTES_PER_CHARACTER.document + BYTES_PER_CHARACTER.analysis;
    operations.set(operation.key, operation, operation.characters, perCharacter);
  }

  function known(client: ClientOperation): KnownOperation {
    const operation = read(client);
    keep(operation);
    return operation;
  }

  /** @param keeps Whether the operation and the decision may be kept for the next caller. */
  function decide(
    operation: KnownOperation,
    met: readonly boolean[],
    conditions: Conditions,
    keeps: (filtered: FilteredOperation) => boolean,
  ): Decision {
    const { analysis, characters } = operation;
    const vector = met.map((isPermitted) => (isPermitted ? '1' : '0')).join('');
    const key = `${operation.key} ${vector} ${conditions.key}`;
    let decision = decisions.get(key);
    // A decision that outlived its operation speaks of nodes of a document that is not this one.
    if (decision?.analysis !== analysis) {
      // `met` has an entry for every requirement; only exactly true permits.
      const filtered = filterOperation(analysis, (index) => met[index] === true, conditions);
      decision = { analysis, filtered, denials: filtered.denied.map((node) => denialOf(analysis, node)) };
      if (keeps(filtered)) {
        keep(operation);
        decisions.set(key, decision, characters, BYTES_PER_CHARACTER.decision);
      }
    }
    return decision;
  }

  function explain(
    client: ClientOperation,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
  ): Explanation {
    const operation = read(client);
    const { analysis } = operation;
    const met = analysis.requirements.map((requirement) => isMet(requirement, delegation));
    const conditions = new Conditions(analysis, variables);
    // An administrator asks about operations that nobody may ever run.
    const { filtered } = decide(operation, met, conditions, () => false);
    return explainDecision({ analysis, conditions, schema, rules, filtered, delegation });
  }

  function authorize(
    client: ClientOperation,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
  ): Authorization {
    const operation = read(client);
    const { analysis } = operation;
    const met = analysis.requirements.map((requirement) => isMet(requirement, delegation));
    if (analysis.executedKeyOf.size === 0 && met.every((isPermitted) => isPermitted)) {
      keep(operation);
      return { execute: client, unchanged: true, denials: [], complete: (outcome) => outcome };
    }
    const conditions = new Conditions(analysis, variables);
    // Whoever sends what is denied as a whole needs no token for it, and could fill the cache with it.
    const keeps = ({ execute }: FilteredOperation): boolean =>
      delegation !== undefined || execute !== undefined;
    const { filtered, denials } = decide(operation, met, conditions, keeps);
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
    vocabularies,
    policies: new Set([...vocabularies.values()].flatMap((words) => [...words.policies])),
    grants: schemaGrants(schema, rules),
    policiesOf: (client) => known(client).analysis.policies,
    authorize,
    explain,
    cached: () => ({
      operations: operations.count,
      decisions: decisions.count,
      bytes: operations.bytes + decisions.bytes,
    }),
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
