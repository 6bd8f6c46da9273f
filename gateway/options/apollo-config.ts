import {
  aBoolean,
  aFunction,
  anObject,
  isRecord,
  kindOf,
  must,
  nearest,
  withMethods,
} from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';
import type { ApolloGatewayConfig, SupergraphManager } from '../apollo.js';
import { ConfigurationError } from '../errors.js';
import { supergraphText } from '../supergraph-text.js';

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
    'bypasses the protection; subgraphs.<name>.headers and forwardHeaders say which headers a subgraph gets',
});

/** @throws {ConfigurationError} for a key that bypasses the protection, or that Apollo's gateway does not know */
function refuseKeys(config: unknown): void {
  if (!isRecord(config))
    throw new ConfigurationError(
      '',
      `the first argument ${must('an object, such as { supergraphSdl }', config)}`,
    );
  for (const key of FORBIDDEN_KEYS) {
    if (key in config) throw new ConfigurationError(key, FORBIDDEN_REASONS[key] ?? 'bypasses the protection');
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

/** The kinds of values that Apollo's gateway takes, where a wrong one would fail later, or would be ignored. */
const VALUES: Readonly<Partial<Record<(typeof PASSED_KEYS)[number], Check>>> = {
  supergraphSdl: supergraphSource,
  logger: withMethods('a logger', ['debug', 'info', 'warn', 'error']),
  telemetry: anObject,
  queryPlannerConfig: anObject,
  validateSupergraph: aBoolean,
  serviceHealthCheck: aBoolean,
  fetcher: aFunction,
  experimental_autoFragmentization: aBoolean,
  experimental_didResolveQueryPlan: aFunction,
  experimental_didUpdateSupergraph: aFunction,
};

/** The supergraph of a configuration that does not bypass the protection. @throws {ConfigurationError} */
export function protectedSource(config: ProtectedGatewayConfig): SupergraphSource {
  refuseKeys(config);
  const given = config as Readonly<Record<string, unknown>>;
  if (given.supergraphSdl === undefined)
    throw new ConfigurationError('supergraphSdl', 'is needed: text, or a supergraph manager');
  for (const [key, check] of Object.entries(VALUES)) {
    const problem = given[key] === undefined ? undefined : check(given[key]);
    if (problem !== undefined) throw new ConfigurationError(key, problem);
  }
  const { supergraphSdl, queryPlannerConfig, telemetry, debug } = config as {
    debug?: unknown;
    supergraphSdl: SupergraphSource;
    telemetry?: { includeDocument?: unknown; recordExceptions?: unknown };
    queryPlannerConfig?: { cache?: unknown };
  };
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

/** Text, a function, or a supergraph manager, which is an instance of a class as a rule. */
function supergraphSource(value: unknown): string | undefined {
  if (typeof value === 'string') return supergraphText(value);
  if (typeof value === 'function') return undefined;
  if (typeof value === 'object' && value !== null && 'initialize' in value)
    return typeof value.initialize === 'function'
      ? undefined
      : `must be text, or a supergraph manager; its initialize is ${kindOf(value.initialize)}`;
  const problem = must('the supergraph as text, or a supergraph manager', value);
  if (value instanceof Uint8Array) return `${problem}; read the file as 'utf8'`;
  return value instanceof Promise ? `${problem}; await it` : problem;
}

/** The supergraph's text, from a supergraph manager. @throws {ConfigurationError} */
export function requireSdl(given: unknown): string {
  if (typeof given !== 'string' || given === '')
    throw new ConfigurationError(
      'supergraphSdl',
      `the manager must give text, not ${given === '' ? 'an empty one' : kindOf(given)}`,
    );
  const problem = supergraphText(given);
  if (problem !== undefined) throw new ConfigurationError('supergraphSdl', `from the manager: ${problem}`);
  return given;
}

/** The first result of a supergraph manager. @throws {ConfigurationError} */
export function requireFirst(given: unknown): {
  readonly supergraphSdl: string;
  readonly cleanup: (() => Promise<void>) | undefined;
} {
  if (!isRecord(given))
    throw new ConfigurationError(
      'supergraphSdl',
      `the manager must return { supergraphSdl, cleanup }, not ${kindOf(given)}`,
    );
  const { supergraphSdl, cleanup } = given;
  if (cleanup !== undefined && typeof cleanup !== 'function')
    throw new ConfigurationError(
      'supergraphSdl',
      `the manager's cleanup must be a function, not ${kindOf(cleanup)}`,
    );
  return { supergraphSdl: requireSdl(supergraphSdl), cleanup: cleanup as (() => Promise<void>) | undefined };
}
