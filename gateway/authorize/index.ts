import { describeRequirement, isMet, ruleText } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { RuleTable } from '@behalf/directives/internal';
import type { FieldNode } from 'graphql';
import { comparePolicyWithSchema, describeMismatch, vocabularyOf } from '@behalf/policy';
import type { Policy } from '@behalf/policy';
import { BYTES_PER_CHARACTER, ByteCache, documentLength } from '../limit/byte-cache.js';
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
import type { OperationAuthorizer } from './operation-authorizer.js';
import type { Authorization, ClientOperation, Denial } from './types.js';

export type {
  ExplainedMinimization,
  ExplainedRule,
  ExplainedSelection,
  Explanation,
  Needs,
  SelectionDecision,
} from './explain.js';
export { SupergraphError, type SupergraphErrorCode } from './supergraph.js';
export type { OperationAuthorizer } from './operation-authorizer.js';
export type {
  AccountableField,
  Authorization,
  ClientOperation,
  Denial,
  ErrorReport,
  ExecutionOutcome,
  SchemaGrants,
  SubgraphVocabulary,
} from './types.js';

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

interface KnownOperation {
  readonly key: string;
  readonly analysis: OperationAnalysis;
  /** Of its document's text. */
  readonly characters: number;
}

interface Decision {
  /** The filtered operation that made it. */
  readonly analysis: OperationAnalysis;
  readonly filtered: FilteredOperation;
  readonly denials: readonly Denial[];
}

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
  const { rules, schema, executableSdl, vocabularies, accountable, joinNames } = loadSupergraph(
    supergraphSdl,
    options.coverage ?? 'open',
  );
  refuseMismatch(rules, options.policy);
  const cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
  const operations = new ByteCache<KnownOperation>(cacheBytes);
  const decisions = new ByteCache<Decision>(cacheBytes);
  const limits = {
    maxPathsPerSelection: options.maxPathsPerSelection ?? DEFAULT_MAX_PATHS_PER_SELECTION,
    maxErrors: options.maxErrors ?? DEFAULT_MAX_ERRORS,
  };

  /** A cached operation, or a new one that is not cached yet. */
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

  /** @param keeps whether the operation and the decision may be cached for the next caller */
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
    // A decision that outlived its operation refers to nodes of another document.
    if (decision?.analysis !== analysis) {
      // `met` has an entry for every requirement; only exactly true permits.
      const filtered = filterOperation(analysis, (index) => met[index] === true, conditions);
      decision = { analysis, filtered, denials: denialsOf(analysis, filtered.denied) };
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
    // An administrator may ask about operations that nobody ever runs.
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
    const conditions = new Conditions(analysis, variables);
    const isUnchanged = analysis.executedKeyOf.size === 0 && met.every((isPermitted) => isPermitted);
    if (isUnchanged) keep(operation);
    // An operation that is denied whole needs no token, and could otherwise fill the cache.
    const keeps = ({ execute }: FilteredOperation): boolean =>
      delegation !== undefined || execute !== undefined;
    const decision = isUnchanged ? undefined : decide(operation, met, conditions, keeps);
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
    refuseMismatch: (policy) => refuseMismatch(rules, policy),
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

/** @throws {SupergraphError} */
function refuseMismatch(rules: RuleTable, policy: Policy | undefined): void {
  if (policy === undefined) return;
  const mismatch = describeMismatch(comparePolicyWithSchema(policy, vocabularyOf(rules)));
  if (mismatch !== undefined) throw new SupergraphError('SUPERGRAPH_POLICY', mismatch);
}

/** By coordinate: a document with many aliases denies one field many times. */
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
