import { createHash } from 'node:crypto';
import type { QueryPlannerConfig } from '@apollo/query-planner';
import type { GatewayExecutor, GatewaySchemaLoadOrUpdateCallback } from '@apollo/server-gateway-interface';
import { parse } from 'graphql';
import { ApolloGateway } from './apollo.js';
import type { ApolloGatewayConfig, ApolloGatewayInstance } from './apollo.js';
import { createOperationAuthorizer, SupergraphError } from './authorize/index.js';
import { reasonsNotServed } from './not-served.js';
import type { OperationAuthorizer } from './authorize/index.js';
import { SchemaIntrospection } from './schema-introspection/index.js';
import { CostModel } from './limit/index.js';
import { QueryPlans } from './plan/query-plans.js';
import { PolicyBook } from './policies/index.js';
import type { BehalfDataSource } from './propagate/data-source.js';
import type { LimitSettings } from './limit/request-limits.js';
import type { GatewayLog } from './log.js';
import type { Settings } from './options/settings.js';
import type { PolicyRules } from './rules/policy-rules.js';
import type { Execution } from './steps/propagate.js';

export type Loaded = Parameters<GatewaySchemaLoadOrUpdateCallback>[0];

/**
 * One supergraph, and everything that answers requests by its rules. The parts are replaced together, so that no request meets
 * parts of two versions.
 */
export interface SupergraphVersion extends Execution {
  /** As it was given. */
  readonly sdl: string;
  /** The same for the same text, for records. */
  readonly id: string;
  /** The rules that cut its requests' tokens. */
  readonly rules: PolicyRules;
  readonly authorizer: OperationAuthorizer;
  readonly policies: PolicyBook;
  readonly costs: CostModel;
  readonly gateway: ApolloGatewayInstance;
  readonly loaded: Loaded;
  readonly plans: QueryPlans;
}

export interface VersionOptions {
  /** As the user passed it. */
  readonly config: ApolloGatewayConfig;
  readonly settings: Settings;
  readonly rules: PolicyRules;
  readonly log: GatewayLog;
  readonly dataSource: (
    name: string,
    url: string | undefined,
    authorizer: OperationAuthorizer,
  ) => BehalfDataSource;
}

/** Documents, analyses, decisions, plans, and the schemas that callers see. */
const CACHES = 5;
/** Apollo's planner tries 10,000 plans by default, and any number of paths through the subgraphs for one field. */
const PLANNER_LIMITS = Object.freeze({ maxEvaluatedPlans: 1_000, pathsLimit: 500 });

/** Bytes of each cache. */
export function shareOfCaches({ cacheMegabytes }: Pick<LimitSettings, 'cacheMegabytes'>): number {
  return Math.floor((cacheMegabytes * 1024 * 1024) / CACHES);
}

/**
 * Creates a version: its authorizer, its plans, and its own ApolloGateway. A request stays on one version from its decision to
 * its plan, whatever is installed meanwhile.
 *
 * @throws {SupergraphError} if the supergraph must not be served
 */
export async function createVersion(
  sdl: string,
  { config, settings, rules, log, dataSource }: VersionOptions,
): Promise<SupergraphVersion> {
  const { authorization, limits, clock } = settings;
  const cacheBytes = shareOfCaches(limits);
  const authorizer = createOperationAuthorizer(sdl, {
    coverage: authorization.coverage,
    maxPathsPerSelection: authorization.maxPathsPerSelection,
    maxErrors: authorization.maxErrors,
    cacheBytes,
    policy: rules.policy,
  });
  const policies = policyBook(authorizer, rules, settings, log);
  const { queryPlannerConfig } = config as { queryPlannerConfig?: QueryPlannerConfig };
  const plannerConfig = {
    ...queryPlannerConfig,
    debug: { ...PLANNER_LIMITS, ...queryPlannerConfig?.debug },
  };
  const plans = openPlans(authorizer, plannerConfig, cacheBytes, { limits, log, clock });
  try {
    const gateway = new ApolloGateway({
      ...config,
      supergraphSdl: authorizer.executableSdl,
      queryPlannerConfig: { ...plannerConfig, cache: plans },
      buildService: ({ name, url }: { name: string; url?: string }) => dataSource(name, url, authorizer),
      // It would show query plans to anyone who sends a header, unless NODE_ENV is production.
      __exposeQueryPlanExperimental: false,
    });
    let loaded: Loaded | undefined;
    gateway.onSchemaLoadOrUpdate((schema) => {
      loaded = schema;
    });
    const { executor } = await gateway.load().catch((error: unknown) => {
      const reasons = reasonsNotServed(error);
      if (reasons === undefined) throw error;
      throw new SupergraphError('SUPERGRAPH_NOT_SERVED', reasons.join('; '), { cause: error });
    });
    if (loaded === undefined) throw new Error('the supergraph was not loaded');
    const { apiSchema } = loaded;
    return {
      sdl,
      id: `sha-256:${createHash('sha256').update(sdl).digest('base64url')}`,
      rules,
      authorizer,
      policies,
      plans,
      schemaIntrospection: new SchemaIntrospection({ authorizer, rule: settings.introspection, cacheBytes }),
      costs: new CostModel(apiSchema, parse(authorizer.executableSdl), limits.listSize),
      execute: (request, usage) => plans.execute(request, usage, executor as GatewayExecutor),
      gateway,
      loaded,
    };
  } catch (error) {
    plans.close();
    throw error;
  }
}

/**
 * The same supergraph under other rules: its analyses and plans stay.
 *
 * @throws {SupergraphError} `SUPERGRAPH_POLICY` if the policy does not fit the supergraph; `ConfigurationError` if evaluators
 * contradict each other
 */
export function withRules(
  version: SupergraphVersion,
  rules: PolicyRules,
  { settings, log }: Pick<VersionOptions, 'settings' | 'log'>,
): SupergraphVersion {
  version.authorizer.refuseMismatch(rules.policy);
  return { ...version, rules, policies: policyBook(version.authorizer, rules, settings, log) };
}

/** The evaluators of one supergraph version's policies. @throws {ConfigurationError} */
function policyBook(
  { policies }: OperationAuthorizer,
  rules: PolicyRules,
  { policies: { functions, timeoutMs }, clock }: Settings,
  log: GatewayLog,
): PolicyBook {
  return new PolicyBook([...functions, ...rules.evaluators], policies, timeoutMs, log, clock);
}

function openPlans(
  { executableSdl }: OperationAuthorizer,
  config: QueryPlannerConfig,
  maxBytes: number,
  { limits, log, clock }: Pick<Settings, 'limits' | 'log' | 'clock'>,
): QueryPlans {
  if (!limits.planInWorker) return new QueryPlans({ maxBytes, clock });
  return new QueryPlans({
    maxBytes,
    planner: {
      supergraphSdl: executableSdl,
      config,
      budgetMs: limits.planningMs,
      maxWaiting: limits.planningQueue,
      log,
      clock,
    },
    clock,
  });
}
