import type { QueryPlannerConfig } from '@apollo/query-planner';
import type {
  GatewayExecutor,
  GatewayGraphQLRequestContext,
  GatewaySchemaLoadOrUpdateCallback,
} from '@apollo/server-gateway-interface';
import { parse } from 'graphql';
import { ApolloGateway } from './apollo.js';
import type { ApolloGatewayConfig, ApolloGatewayInstance } from './apollo.js';
import { createOperationAuthorizer } from './authorize/index.js';
import type { OperationAuthorizer } from './authorize/index.js';
import { GrantedSchemaIntrospection } from './schema-introspection/index.js';
import { CostModel } from './limit/index.js';
import { QueryPlans } from './plan/query-plans.js';
import { DEFAULT_POLICY_TIMEOUT_MS, functionEvaluator, PolicyBook } from './policies/index.js';
import type { BehalfDataSource } from './propagate/data-source.js';
import type { LimitOptions } from './limit/request-limits.js';
import type { GatewayLog } from './log.js';
import type { ProtectionOptions } from './options/protection-options.js';
import type { SharedUse } from './request/shared-use.js';

export type Loaded = Parameters<GatewaySchemaLoadOrUpdateCallback>[0];

/**
 * One supergraph, and everything that requests are answered with by its rules. The parts are replaced together, so that no
 * request meets parts of two versions.
 */
export interface SupergraphVersion {
  readonly authorizer: OperationAuthorizer;
  readonly policies: PolicyBook;
  readonly schemaIntrospection: GrantedSchemaIntrospection;
  readonly costs: CostModel;
  /** Plans and executes an operation. @param usage Of all operations in the same HTTP request. */
  readonly execute: (request: GatewayGraphQLRequestContext, usage: SharedUse) => ReturnType<GatewayExecutor>;
  readonly gateway: ApolloGatewayInstance;
  readonly loaded: Loaded;
  readonly plans: QueryPlans;
}

export interface VersionOptions {
  /** As the user gave it. */
  readonly config: ApolloGatewayConfig;
  readonly options: ProtectionOptions;
  readonly log: GatewayLog;
  readonly dataSource: (
    name: string,
    url: string | undefined,
    authorizer: OperationAuthorizer,
  ) => BehalfDataSource;
}

const DEFAULT_LIST_SIZE = 10;
const DEFAULT_PLANNING_MS = 100;
const DEFAULT_PLANNING_QUEUE = 100;
const DEFAULT_CACHE_MEGABYTES = 256;
/** Documents, what is known of operations, decisions, plans, and the schemas that callers see. */
const CACHES = 5;
/** Apollo's planner tries 10,000 plans by default, and any number of ways through the subgraphs for one field. */
const PLANNER_LIMITS = Object.freeze({ maxEvaluatedPlans: 1_000, pathsLimit: 500 });

/** Bytes that each of the caches may hold. */
export function shareOfCaches(limits: LimitOptions | undefined): number {
  return Math.floor(((limits?.cacheMegabytes ?? DEFAULT_CACHE_MEGABYTES) * 1024 * 1024) / CACHES);
}

/**
 * Makes a version: its authorizer, its plans, and an ApolloGateway of its own. A request goes through one version from its
 * decision to its plan, whatever is installed meanwhile.
 *
 * @throws {SupergraphError} when the supergraph must not be served.
 */
export async function createVersion(
  sdl: string,
  { config, options, log, dataSource }: VersionOptions,
): Promise<SupergraphVersion> {
  const { authorization, policy, limits } = options;
  const cacheBytes = shareOfCaches(limits);
  const authorizer = createOperationAuthorizer(sdl, {
    coverage: authorization?.coverage ?? 'open',
    cacheBytes,
    ...(policy === undefined ? {} : { policy }),
    ...(authorization?.maxPathsPerSelection === undefined
      ? {}
      : { maxPathsPerSelection: authorization.maxPathsPerSelection }),
    ...(authorization?.maxErrors === undefined ? {} : { maxErrors: authorization.maxErrors }),
  });
  const policies = policyBook(authorizer, options, log);
  const { queryPlannerConfig } = config as { queryPlannerConfig?: QueryPlannerConfig };
  const plannerConfig = {
    ...queryPlannerConfig,
    debug: { ...PLANNER_LIMITS, ...queryPlannerConfig?.debug },
  };
  const plans = openPlans(authorizer, plannerConfig, cacheBytes, { limits, log });
  try {
    const gateway = new ApolloGateway({
      ...config,
      supergraphSdl: authorizer.executableSdl,
      queryPlannerConfig: { ...plannerConfig, cache: plans },
      buildService: ({ name, url }: { name: string; url?: string }) => dataSource(name, url, authorizer),
      // Shows query plans to whoever sends a header, unless NODE_ENV is production.
      __exposeQueryPlanExperimental: false,
    });
    let loaded: Loaded | undefined;
    gateway.onSchemaLoadOrUpdate((schema) => {
      loaded = schema;
    });
    const { executor } = await gateway.load();
    if (loaded === undefined) throw new Error('the supergraph was not loaded');
    const { apiSchema } = loaded;
    return {
      authorizer,
      policies,
      plans,
      schemaIntrospection: new GrantedSchemaIntrospection(authorizer, cacheBytes),
      costs: new CostModel(apiSchema, parse(authorizer.executableSdl), limits?.listSize ?? DEFAULT_LIST_SIZE),
      execute: (request, usage) => plans.execute(request, usage, executor as GatewayExecutor),
      gateway,
      loaded,
    };
  } catch (error) {
    plans.close();
    throw error;
  }
}

function openPlans(
  { executableSdl }: OperationAuthorizer,
  config: QueryPlannerConfig,
  maxBytes: number,
  { limits, log }: { readonly limits: LimitOptions | undefined; readonly log: GatewayLog },
): QueryPlans {
  if (limits?.planInWorker !== true) return new QueryPlans({ maxBytes });
  return new QueryPlans({
    maxBytes,
    planner: {
      supergraphSdl: executableSdl,
      config,
      budgetMs: limits.planningMs ?? DEFAULT_PLANNING_MS,
      maxWaiting: limits.planningQueue ?? DEFAULT_PLANNING_QUEUE,
      log,
    },
  });
}

/** Who answers the policies of this version. @throws {ConfigurationError} */
function policyBook(
  { policies: asked }: OperationAuthorizer,
  { policies, policyEvaluators = [], policyTimeoutMs = DEFAULT_POLICY_TIMEOUT_MS }: ProtectionOptions,
  log: GatewayLog,
): PolicyBook {
  const functions = policies === undefined ? [] : [functionEvaluator(policies)];
  return new PolicyBook([...functions, ...policyEvaluators], asked, policyTimeoutMs, log);
}
