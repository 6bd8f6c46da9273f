import type { Policy } from '@behalf/policy';
import type { Delegation } from '@behalf/directives';
import type { GraphQLSchema } from 'graphql';
import type { MinimizedType } from '../supergraph/minimized-types.js';
import type { Explanation } from './explanation.js';
import type {
  AccountableField,
  AnswerOptions,
  Authorization,
  ClientOperation,
  SchemaGrants,
  SubgraphVocabulary,
} from './types.js';

/** Decides operations against the rules of one supergraph. One instance per supergraph version. */
export interface OperationAuthorizer {
  /** The SDL to hand to ApolloGateway: without the security purposes that it refuses to load. */
  readonly executableSdl: string;
  /** The whole supergraph, including the parts that clients cannot see. */
  readonly schema: GraphQLSchema;
  /** By subgraph name, as in `supergraph.yaml`. */
  readonly vocabularies: ReadonlyMap<string, SubgraphVocabulary>;
  /** By subgraph name, then by coordinate: what each can resolve, and so report. */
  readonly accountable: ReadonlyMap<string, ReadonlyMap<string, AccountableField>>;
  /** By type: the minimized fields that a subgraph can resolve. */
  minimizedTypesOf(subgraph: string): ReadonlyMap<string, MinimizedType>;
  /** Coordinates by which several subgraphs join objects. */
  readonly joining: ReadonlySet<string>;
  /** Every policy that a rule can ask for. */
  readonly policies: ReadonlySet<string>;
  /** @throws {SupergraphError} `SUPERGRAPH_POLICY` for a policy that does not name the scopes and purposes of this supergraph. */
  refuseMismatch(policy: Policy | undefined): void;
  /** The part of the whole schema that a delegation can reach. */
  grants(delegation: Delegation | undefined): SchemaGrants;
  /** Names of the policies that this operation depends on (cached per operation). */
  policiesOf(operation: ClientOperation): readonly string[];
  /** @param variables As the client sent them: those that `@skip`, `@include` and arguments with `@filters` name are read. */
  authorize(
    operation: ClientOperation,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
    options?: AnswerOptions,
  ): Authorization;
  /** The size of the caches; bytes are estimated. */
  cached(): { readonly operations: number; readonly decisions: number; readonly bytes: number };
  /** Explains a decision of {@link authorize}, selection by selection, with the rules and what the delegation lacks. */
  explain(
    operation: ClientOperation,
    delegation: Delegation | undefined,
    variables: Readonly<Record<string, unknown>>,
  ): Explanation;
}
