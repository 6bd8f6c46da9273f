import type { QueryPlannerConfig } from '@apollo/query-planner';
import type { GatewayExecutor, GatewaySchemaLoadOrUpdateCallback } from '@apollo/server-gateway-interface';
import { parse } from 'graphql';
import { ApolloGateway } from './apollo.js';
import type { ApolloGatewayConfig, ApolloGatewayInstance } from './apollo.js';
import { createOperationAuthorizer } from './authorize/index.js';
import type { OperationAuthorizer } from './authorize/index.js';
import { exchangeOf } from './exchange.js';
import { GrantedIntrospection } from './introspection/index.js';
import { CostModel } from './limit/index.js';
import type { Served } from './pipeline.js';
import { QueryPlans } from './plan/query-plans.js';
import type { BehalfDataSource } from './propagate/data-source.js';
import type { LimitOptions } from './limit/request-limits.js';
import type { Protection } from './protection.js';
import type { PolicyRules } from './rules.js';

export type Loaded = Parameters<GatewaySchemaLoadOrUpdateCallback>[0];

/** One supergraph, and everything that requests are answered with by its rules. */
export interface Version extends Served {
  /** As it was given. */
  readonly sdl: string;
  readonly gateway: ApolloGatewayInstance;
  readonly loaded: Loaded;
  readonly plans: QueryPlans;
}

export interface VersionOptions {
  /** What the user gave. */
  readonly config: ApolloGatewayConfig;
  readonly protection: Protection;
  readonly rules: PolicyRules;
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
  { config, protection, rules, dataSource }: VersionOptions,
): Promise<Version> {
  const { authorization, limits } = protection.options;
  const { policy } = rules;
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
  const policies = protection.policyBook(authorizer, rules);
  const { queryPlannerConfig } = config as { queryPlannerConfig?: QueryPlannerConfig };
  const plannerConfig = {
    ...queryPlannerConfig,
    debug: { ...PLANNER_LIMITS, ...queryPlannerConfig?.debug },
  };
  const plans = openPlans(authorizer, plannerConfig, cacheBytes, protection);
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
      sdl,
      rules,
      authorizer,
      policies,
      plans,
      introspection: new GrantedIntrospection(authorizer, cacheBytes),
      costs: new CostModel(apiSchema, parse(authorizer.executableSdl), limits?.listSize ?? DEFAULT_LIST_SIZE),
      execute: (request) => {
        const shared = exchangeOf(request.context)?.shared ?? { planning: undefined };
        return plans.execute(request, shared, executor as GatewayExecutor);
      },
      gateway,
      loaded,
    };
  } catch (error) {
    plans.close();
    throw error;
  }
}

/**
 * The same supergraph under other rules: what is known of its operations and their plans stays.
 *
 * @throws {SupergraphError} `SUPERGRAPH_POLICY` when the policy does not fit the supergraph; {@link ConfigurationError} when
 *   evaluators contradict each other.
 */
export function withRules(version: Version, rules: PolicyRules, protection: Protection): Version {
  version.authorizer.refuseMismatch(rules.policy);
  return { ...version, rules, policies: protection.policyBook(version.authorizer, rules) };
}

function openPlans(
  { executableSdl }: OperationAuthorizer,
  config: QueryPlannerConfig,
  maxBytes: number,
  { options: { limits }, log }: Protection,
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
