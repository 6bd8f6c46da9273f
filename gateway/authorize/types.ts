import type { Delegation, Requires } from '@behalf/directives';
import type { DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import type { Explanation } from './explain.js';
import type { ErrorReport } from './place-errors.js';
import type { Policy } from '@behalf/policy';

/** The operation as the server parsed and validated it. */
export interface ClientOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** SHA-256 of the document's text, hex: the key of the gateway's query plan cache. */
  readonly queryHash: string;
}

/** A field that the delegation may not read, without the paths (one selection can be reached by many). */
export interface Denial {
  /** `Type.field` as the client selected it. */
  readonly coordinate: string;
  /** What would be required, in the names of the schema; never what the caller holds. */
  readonly requires: Requires;
  /** The rule in the words of the schema, for the record. */
  readonly rule: string;
  /** How many selections of the operation name it. */
  readonly selections: number;
}

export interface ExecutionOutcome {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLError[];
}

/** The decision on one operation for one delegation. */
export interface Authorization {
  /** What may be planned and executed; absent when nothing is left. */
  readonly execute?: ClientOperation;
  /** True when `execute` is the client's own operation, whole. */
  readonly unchanged: boolean;
  readonly denials: readonly Denial[];
  /**
   * Puts what was executed into the shape that the client asked for: null at each denied path, with non-null
   * propagation, and one error per denied path. When nothing was left to execute, give it `{ data: {} }`.
   *
   * Errors of the execution are placed on the client's own operation, and nothing of their words passes but what the
   * configuration lets pass.
   *
   * @param report Is told of each error of the execution, for the log.
   */
  complete(outcome: ExecutionOutcome, report?: (report: ErrorReport) => void): ExecutionOutcome;
  /**
   * For what was executed whole, in shadow: data and errors go on as they came, except that a subgraph that failed is
   * reported where something is null because of it, and that there are no more errors than {@link complete} would give.
   */
  observe(outcome: ExecutionOutcome, report?: (report: ErrorReport) => void): ExecutionOutcome;
}

/** What one subgraph's rules can ask for: nothing else travels to it. */
export interface SubgraphVocabulary {
  readonly scopes: ReadonlySet<string>;
  readonly policies: ReadonlySet<string>;
  readonly purposes: ReadonlySet<string>;
}

/** What the gateway knows of a coordinate, to put on record beside what a subgraph says happened there. */
export interface AccountableField {
  /** In the words of the schema; absent when none applies. */
  readonly rule?: string;
  /** Of `@minimize`. */
  readonly strategy?: string;
  /** Whether `@subject` can decide there: on the type that it stands on, or on the one that it returns. */
  readonly isOwned: boolean;
}

/** What somebody can reach of a schema, whatever he asks. */
export interface SchemaGrants {
  /** Equal for all who can reach the same. */
  readonly key: string;
  /** Of a coordinate that is not known: false. */
  isGranted(typeName: string, fieldName: string): boolean;
}

/** Decides operations against the rules of one supergraph. One instance per supergraph version. */
export interface OperationAuthorizer {
  /** The SDL to hand to ApolloGateway: without the security purposes that it refuses to load. */
  readonly executableSdl: string;
  /** Of the whole supergraph, what clients cannot see included. */
  readonly schema: GraphQLSchema;
  /** By subgraph name, as in `supergraph.yaml`. */
  readonly vocabularies: ReadonlyMap<string, SubgraphVocabulary>;
  /** By subgraph name, then by coordinate: what each can resolve, and so give account of. */
  readonly accountable: ReadonlyMap<string, ReadonlyMap<string, AccountableField>>;
  /** Every policy that a rule can ask for. */
  readonly policies: ReadonlySet<string>;
  /** @throws {SupergraphError} `SUPERGRAPH_POLICY` for a policy that does not name the scopes and purposes of this supergraph. */
  refuseMismatch(policy: Policy | undefined): void;
  /** What a delegation can reach of the whole schema. */
  grants(delegation: Delegation | undefined): SchemaGrants;
  /** Names of the policies that this operation depends on (cached per operation). */
  policiesOf(operation: ClientOperation): readonly string[];
  /** @param variables As the client sent them: only those that `@skip` and `@include` name are read. */
  authorize(
    operation: ClientOperation,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
  ): Authorization;
  /** How much is kept of operations and decisions; the bytes are estimated. */
  cached(): { readonly operations: number; readonly decisions: number; readonly bytes: number };
  /** Tells what {@link authorize} decides, selection by selection, and by which rules. Names what the delegation lacks. */
  explain(
    operation: ClientOperation,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
  ): Explanation;
}
