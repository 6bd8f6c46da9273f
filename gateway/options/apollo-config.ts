import { isRecord, kindOf, nearest } from '@behalf/directives/internal';
import type { ApolloGatewayConfig, SupergraphManager } from '../apollo.js';
import { ConfigurationError } from '../errors.js';

/** The options of `new ApolloGateway(…)`, except those that would bypass the protection. */
export type ProtectedGatewayConfig = ApolloGatewayConfig;

/** Where supergraphs come from: text, or a supergraph manager. */
export type SupergraphSource = string | SupergraphManager | SupergraphManager['initialize'];

/** Keys of ApolloGateway's configuration that bypass Behalf with data sources or schemas. */
const FORBIDDEN_KEYS = [
  'buildService',
  'serviceList',
  'localServiceList',
  'experimental_updateServiceDefinitions',
  'experimental_updateSupergraphSdl',
] as const;

/** Keys of ApolloGateway's configuration that are passed on. `debug` and `telemetry` only with harmless values. */
const PASSED_KEYS = [
  'supergraphSdl',
  'debug',
  'logger',
  'telemetry',
  'queryPlannerConfig',
  'validateSupergraph',
  'serviceHealthCheck',
  'fetcher',
  'experimental_approximateQueryPlanStoreMiB',
  'experimental_autoFragmentization',
  'experimental_didResolveQueryPlan',
  'experimental_didUpdateSupergraph',
  '__exposeQueryPlanExperimental',
] as const;

/** The reason, if there is more to say than that the key would bypass the protection. */
const FORBIDDEN_REASONS: Readonly<Partial<Record<string, string>>> = Object.freeze({
  buildService:
    'would go past the protection; subgraphs.<name>.headers and forwardHeaders say which headers a subgraph gets',
});

/** @throws {ConfigurationError} for a key that goes past the protection, or that Apollo's gateway does not know */
function refuseKeys(config: unknown): void {
  if (!isRecord(config))
    throw new ConfigurationError('', `the configuration must be an object, not ${kindOf(config)}`);
  for (const key of FORBIDDEN_KEYS) {
    if (key in config)
      throw new ConfigurationError(key, FORBIDDEN_REASONS[key] ?? 'would go past the protection');
  }
  const known: readonly string[] = PASSED_KEYS;
  const unknown = Object.keys(config).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  throw new ConfigurationError(
    unknown,
    `is not a key of Apollo's gateway${meant === undefined ? ', or belongs in the second argument' : `; did you mean ${meant}?`}`,
  );
}

/** The supergraph of a configuration that does not bypass the protection. @throws {ConfigurationError} */
export function protectedSource(config: ProtectedGatewayConfig): SupergraphSource {
  refuseKeys(config);
  const { supergraphSdl, queryPlannerConfig, telemetry, debug } = config as {
    debug?: unknown;
    supergraphSdl?: SupergraphSource;
    telemetry?: { includeDocument?: unknown; recordExceptions?: unknown };
    queryPlannerConfig?: { cache?: unknown };
  };
  if (supergraphSdl === undefined)
    throw new ConfigurationError('supergraphSdl', 'is needed: text, or a supergraph manager');
  if (queryPlannerConfig?.cache !== undefined)
    throw new ConfigurationError('queryPlannerConfig.cache', 'would share plans between supergraph versions');
  for (const key of ['includeDocument', 'recordExceptions'] as const) {
    // Literals in documents and messages of errors are personal data.
    if (telemetry?.[key] !== undefined && telemetry[key] !== false)
      throw new ConfigurationError(`telemetry.${key}`, 'would put values into spans');
  }
  // It logs query plans, with the literals of the operation.
  if (debug !== undefined && debug !== false)
    throw new ConfigurationError('debug', 'would put values into the log');
  return supergraphSdl;
}
