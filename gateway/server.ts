import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { Connections, listen } from '@behalf/http';
import { Shutdown } from '@behalf/http/internal';
import type { RevocationHooks } from '@behalf/revocation';
import { checkConfig } from './config/config.js';
import { checkOverrides } from './config/check-overrides.js';
import { corsOf } from './config/cors-of.js';
import type { CheckedConfig, GatewayConfig } from './config/config.js';
import { deprecatedKeys } from './config/deprecated-keys.js';
import { openOptions } from './config/open.js';
import { RuleFiles } from './config/rule-files.js';
import configSchema from './options/schema.json' with { type: 'json' };
import { createApolloServer } from './graphql-endpoint.js';
import type { RouteContext } from './graphql-endpoint.js';
import { TrustedProxies } from './http/proxies.js';
import { refuseAnywhere } from './http/refuse-http.js';
import type { Cors } from './http/cors.js';
import { createTlsServer } from './http/tls.js';
import { answerUnreadable } from './http/unreadable.js';
import { jsonLog } from './log.js';
import type { GatewayLog } from './log.js';
import { startMetricsServer } from './metrics-server.js';
import type { MetricsServer } from './metrics-server.js';
import type { PolicyFunction } from './policies/index.js';
import { logOtherAudiences } from './options/what-is-off.js';
import { ProtectedGateway } from './protect-gateway.js';
import { answerStartingHealth, createHandler } from './routes.js';

/** The parts that a program adds to its configuration. */
export interface GatewayOverrides extends RevocationHooks {
  readonly log?: GatewayLog;
  readonly policies?: Readonly<Record<string, PolicyFunction>>;
  /** Tells the time and starts timers. Default: the machine's own. */
  readonly clock?: Clock;
}

/** Settings that only Behalf's own tests change. */
export interface ServerInternals {
  /**
   * Whether operations are planned in a thread of their own; default true. Starting that thread takes most of the time in which
   * a gateway starts, and few tests are about it.
   */
  readonly planInWorker?: boolean;
}

/** A running server, see {@link startGateway}. */
export interface RunningGateway {
  readonly url: string;
  readonly gateway: ProtectedGateway;
  /** The address of the listener for Prometheus; undefined when there is none. */
  readonly metricsUrl: string | undefined;
  /**
   * Reads supergraph, policy and Cedar file again, changed or not. What must not be served is refused and logged, and what is
   * served stays. Changes of the files cause the same without a call.
   *
   * @returns Whether what is in the files is served now.
   */
  reload(): Promise<boolean>;
  /**
   * Ends the server as SIGTERM should: for `shutdown.notReadyMs` it answers requests, and `/health/ready` says `DRAINING`, so that
   * load balancers stop sending any. Then as {@link close}, which also ends the wait.
   */
  drain(): Promise<void>;
  /** Accepts no more connections, answers what is in flight, for `shutdown.drainMs` at most, then closes. */
  close(): Promise<void>;
}

/**
 * Starts the gateway's server from its configuration.
 *
 * @throws {ConfigurationError} for what the configuration cannot mean; `SupergraphError` for a supergraph that must not be
 *   served; `ListenError` when the address cannot be listened on.
 *
 * @example
 * ```ts
 * import { readConfig, startGateway } from '@behalf/gateway';
 *
 * const running = await startGateway(await readConfig('gateway.yaml'), {
 *   policies: { 'business-hours': () => new Date().getHours() < 18 },
 * });
 * process.on('SIGHUP', () => void running.reload());
 * process.once('SIGTERM', () => void running.drain());
 * ```
 */
export function startGateway(
  given: GatewayConfig | CheckedConfig,
  overrides: GatewayOverrides = {},
): Promise<RunningGateway> {
  return startServer(given, overrides, {});
}

/** As {@link startGateway}, for tests. */
export async function startServer(
  given: GatewayConfig | CheckedConfig,
  overrides: GatewayOverrides,
  internals: ServerInternals,
): Promise<RunningGateway> {
  const config = checkConfig(given);
  checkOverrides(overrides);
  const clock = overrides.clock ?? systemClock;
  const log = overrides.log ?? jsonLog(config.log.level, undefined, clock);
  for (const { key, advice } of deprecatedKeys(configSchema, given))
    log.log('warn', 'DEPRECATED_KEY', { key, advice });
  const { host, port, tls } = config.listen;
  const proxies = new TrustedProxies(config.proxies);
  const server = tls === undefined ? createServer({ requireHostHeader: false }) : await createTlsServer(tls);
  const connections = new Connections(server);
  const cors = corsOf(config);
  answerUnreadable(server, cors);
  const notYet = refuseStarting(cors);
  server.on('request', notYet);
  const { origin: url } = await listen(server, host, port);
  try {
    const serving = { url, config, overrides, log, clock, proxies, cors, internals };
    const { handlerOf, ...running } = await serve(serving);
    const { notReadyMs, drainMs } = config.shutdown;
    const shutdown = new Shutdown(async () => {
      await connections.close({ answerGraceMs: drainMs });
      await running.close();
    }, clock);
    server.off('request', notYet);
    server.on('request', handlerOf(shutdown));
    logOtherAudiences(config, running.gateway.resource, log);
    const drain = (): Promise<void> => shutdown.drain(notReadyMs);
    return { url, ...running, drain, close: () => shutdown.close() };
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The address is taken before the rest is made, because the rest is told it. */
function refuseStarting(cors: Cors | undefined): Handler {
  return (request, response) => {
    cors?.setHeaders(request, response);
    if (answerStartingHealth(request, response)) return;
    // The routes are not known yet, and browsers permit these methods without being told.
    if (cors?.answerPreflight(request, response, ['GET', 'HEAD', 'POST']) === true) return;
    refuseAnywhere(request, response, 'STARTING', { 'retry-after': '1', connection: 'close' });
  };
}

type ServingGateway = Omit<RunningGateway, 'url' | 'drain'> & {
  readonly handlerOf: (shutdown: Shutdown) => Handler;
};

interface Serving {
  readonly url: string;
  readonly config: CheckedConfig;
  readonly overrides: GatewayOverrides;
  readonly log: GatewayLog;
  readonly clock: Clock;
  readonly proxies: TrustedProxies;
  readonly cors: Cors | undefined;
  readonly internals: ServerInternals;
}

async function serve(serving: Serving): Promise<ServingGateway> {
  const { url, config, overrides, log, clock, proxies, cors, internals } = serving;
  const server = { externalUrl: config.externalUrl ?? url, proxies };
  const files = new RuleFiles(config, clock);
  const { supergraphSdl, policy, policies } = await files.first();
  const options = await openOptions(config, url);
  const gateway = new ProtectedGateway(
    { supergraphSdl },
    {
      ...options,
      limits: { ...options.limits, planInWorker: internals.planInWorker ?? true },
      externalUrl: server.externalUrl,
      policy,
      policies: { ...options.policies, ...policies, functions: overrides.policies },
      onRevocation: overrides.onRevocation,
      onConsentChange: overrides.onConsentChange,
      log,
      clock,
    },
    true,
  );
  const apollo = createApolloServer(gateway, config, log);
  try {
    await apollo.start();
  } catch (error) {
    await gateway.stop();
    throw error;
  }
  const metrics = await startMetrics(config, gateway, apollo);
  await files.watch(gateway);
  return {
    gateway,
    metricsUrl: metrics?.url,
    reload: () => files.reload(),
    handlerOf: (shutdown) => createHandler({ apollo, gateway, config, server, cors, shutdown }, log),
    async close() {
      files.close();
      await metrics?.close();
      // Every client has its answer, or was cut off.
      await gateway.stop({ cutSubgraphs: true });
      await apollo.stop();
    },
  };
}

async function startMetrics(
  { metrics }: CheckedConfig,
  gateway: ProtectedGateway,
  apollo: RouteContext['apollo'],
): Promise<MetricsServer | undefined> {
  if (metrics === undefined) return undefined;
  try {
    return await startMetricsServer(gateway, metrics.listen);
  } catch (error) {
    await apollo.stop();
    throw error;
  }
}
