import { HeaderMap } from '@apollo/server';
import fc from 'fast-check';
import { execute, parse } from 'graphql';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { ApolloGateway } from '../../../gateway/apollo.js';
import type { GraphQLDataSourceProcessOptions } from '../../../gateway/apollo.js';
import { fetchOf, SentOperations } from '../../../gateway/subgraph-errors/fetch.js';
import { readErrors } from '../../../gateway/subgraph-errors/subgraph-error.js';
import type { ClientOperation } from '../../../gateway/authorize/index.js';
import type { RunContext } from './data.js';

/** One subgraph request. */
export interface Asked {
  readonly graph: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** The inputs that a fetch takes from each object (`QueryPlanSelectionNode` of @apollo/query-planner). */
export interface GivenSelection {
  readonly kind: string;
  readonly name?: string;
  readonly typeCondition?: string;
  readonly selections?: readonly GivenSelection[];
}

export interface PlannedFetch {
  readonly graph: string;
  readonly operation: string;
  readonly given: readonly GivenSelection[];
}

/** How one subgraph answers, in this process. */
export type Answering = (asked: Asked) => Promise<ExecutionResult> | ExecutionResult;

export interface Run {
  readonly result: ExecutionResult;
  readonly asked: readonly Asked[];
  readonly plan: readonly PlannedFetch[];
}

interface RunState {
  readonly answering: Answering;
  readonly asked: Asked[];
  plan: readonly PlannedFetch[];
}

interface RunningContext {
  readonly run: RunState;
}

type Executor = (request: unknown) => Promise<ExecutionResult>;

/** @apollo/gateway itself plans and joins; only the network is omitted. */
export class RealGateway {
  readonly #executor: Executor;

  private constructor(
    executor: Executor,
    readonly apiSchema: GraphQLSchema,
  ) {
    this.#executor = executor;
  }

  static async load(executableSdl: string): Promise<RealGateway> {
    const gateway = new ApolloGateway({
      supergraphSdl: executableSdl,
      // Every operation here is new; its plan is not needed again.
      experimental_approximateQueryPlanStoreMiB: 1,
      // With many keys the planner's choices grow without bound; such an operation would exhaust memory and show nothing.
      queryPlannerConfig: { debug: { maxEvaluatedPlans: 100, pathsLimit: 500 } },
      buildService: ({ name }) => ({
        process: (options: GraphQLDataSourceProcessOptions) => {
          const { request, context } = options;
          const { run } = context as unknown as RunningContext;
          const asked = { graph: name, query: request.query ?? '', variables: request.variables ?? {} };
          run.asked.push(asked);
          return Promise.resolve(run.answering(asked)).then((result) => {
            const { errors, ...others } = overTheWire(result);
            // As Behalf's data source reads them.
            const read =
              errors === undefined
                ? {}
                : { errors: readErrors(errors, fetchOf(name, options, new SentOperations()), {}, false) };
            return { ...others, ...read };
          }) as never;
        },
      }),
      experimental_didResolveQueryPlan: ({ queryPlan, requestContext }) => {
        const { run } = requestContext.context as unknown as RunningContext;
        run.plan = fetchesOf(queryPlan.node);
      },
    });
    let apiSchema: GraphQLSchema | undefined;
    gateway.onSchemaLoadOrUpdate((loaded) => {
      apiSchema = loaded.apiSchema;
    });
    const { executor } = await gateway.load();
    if (apiSchema === undefined) throw new Error('no schema was loaded');
    return new RealGateway(executor as Executor, apiSchema);
  }

  async run(
    operation: ClientOperation,
    variables: Readonly<Record<string, unknown>>,
    answering: Answering,
  ): Promise<Run> {
    const run: RunState = { answering, asked: [], plan: [] };
    const result = await this.#executor({
      ...operation,
      request: { variables, http: { headers: new HeaderMap() } },
      context: { run },
      logger: console,
    }).catch((error: unknown) => {
      // Another case is drawn instead.
      fc.pre(!(error instanceof Error && error.message.startsWith('Too many options generated')));
      throw error;
    });
    return { result, asked: run.asked, plan: run.plan };
  }
}

/** As after JSON. */
export function overTheWire(result: ExecutionResult): ExecutionResult {
  return JSON.parse(JSON.stringify(result)) as ExecutionResult;
}

/** Executes a subgraph's schema. */
export async function answer(
  schema: GraphQLSchema,
  { query, variables }: Asked,
  rootValue: unknown,
  contextValue: RunContext,
): Promise<ExecutionResult> {
  return execute({ schema, document: parse(query), variableValues: variables, rootValue, contextValue });
}

/** The part of a query plan node that is read here. */
interface PlanNode {
  readonly kind: string;
  readonly serviceName?: string;
  readonly operation?: string;
  readonly requires?: readonly GivenSelection[];
  readonly node?: PlanNode;
  readonly nodes?: readonly PlanNode[];
  readonly ifClause?: PlanNode;
  readonly elseClause?: PlanNode;
}

function fetchesOf(node: unknown): PlannedFetch[] {
  if (node === undefined || node === null) return [];
  const { kind, serviceName = '', operation = '', requires = [], ...inner } = node as PlanNode;
  if (kind === 'Fetch') return [{ graph: serviceName, operation, given: requires }];
  return [inner.node, inner.ifClause, inner.elseClause, ...(inner.nodes ?? [])].flatMap(fetchesOf);
}
