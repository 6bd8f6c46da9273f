import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BodyError, Connections, listen, readBody, sendJson } from '@behalf/http';
import type { RevocationHooks } from '@behalf/revocation';
import { answerAdministrator, EXPLAIN_PATH } from './administration.js';
import { checkConfig } from './config/config.js';
import type { CheckedConfig, GatewayConfig } from './config/config.js';
import { deprecatedKeys } from './config/deprecated-keys.js';
import { openOptions } from './config/open.js';
import { RuleFiles } from './config/rule-files.js';
import configSchema from './options/schema.json' with { type: 'json' };
import { answerGraphQL, createApolloServer } from './graphql-endpoint.js';
import type { RouteContext } from './graphql-endpoint.js';
import { MAX_BODY_BYTES, parseJson } from './http/body.js';
import { incomingOf } from './http/incoming.js';
import { JWKS_PATH, jwksHandler } from './http/jwks-handler.js';
import { TrustedProxies } from './http/proxies.js';
import { createTlsServer } from './http/tls.js';
import { jsonLog } from './log.js';
import type { GatewayLog } from './log.js';
import { startMetricsServer } from './metrics-server.js';
import type { MetricsServer } from './metrics-server.js';
import type { PolicyFunction } from './policies/index.js';
import { protectGateway } from './protect-gateway.js';
import type { ProtectedGateway } from './protect-gateway.js';
import { answerWorkload, TXN_TOKEN_PATH } from './txn-token-endpoint.js';

/** The parts that a program adds to its configuration. */
export interface GatewayOverrides extends RevocationHooks {
  readonly log?: GatewayLog;
  readonly policies?: Readonly<Record<string, PolicyFunction>>;
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
  /** Answers what is under way, then closes. */
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
 * process.once('SIGTERM', () => void running.close());
 * ```
 */
export async function startGateway(
  given: GatewayConfig | CheckedConfig,
  overrides: GatewayOverrides = {},
): Promise<RunningGateway> {
  const config = checkConfig(given);
  const log = overrides.log ?? jsonLog(config.log.level);
  for (const { key, advice } of deprecatedKeys(configSchema, given))
    log.log('warn', 'DEPRECATED_KEY', { key, advice });
  const { host, port, tls } = config.listen;
  const proxies = new TrustedProxies(config.proxies);
  const server = tls === undefined ? createServer() : await createTlsServer(tls);
  const connections = new Connections(server);
  server.on('request', notYet);
  const { origin: url } = await listen(server, host, port);
  try {
    const { handler, ...running } = await serve(url, config, overrides, log, proxies);
    server.off('request', notYet);
    server.on('request', handler);
    return {
      url,
      ...running,
      async close() {
        await connections.close();
        await running.close();
      },
    };
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
}

/** The address is taken before the rest is made, because the rest is told it. */
function notYet(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('retry-after', '1');
  response.setHeader('connection', 'close');
  sendJson(response, 503, { error: 'starting' });
}

type ServingGateway = Omit<RunningGateway, 'url'> & {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
};

async function serve(
  url: string,
  config: CheckedConfig,
  overrides: GatewayOverrides,
  log: GatewayLog,
  proxies: TrustedProxies,
): Promise<ServingGateway> {
  const server = { externalUrl: config.externalUrl ?? url, proxies };
  const files = new RuleFiles(config);
  const { supergraphSdl, policy, policyEvaluators } = await files.first();
  const options = await openOptions(config, url);
  const gateway = protectGateway(
    { supergraphSdl },
    {
      ...options,
      externalUrl: server.externalUrl,
      policy,
      policies: { ...options.policies, functions: overrides.policies, evaluators: policyEvaluators },
      onRevocation: overrides.onRevocation,
      onConsentChange: overrides.onConsentChange,
      log,
    },
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
  const route = { apollo, gateway, config, server };
  return {
    gateway,
    metricsUrl: metrics?.url,
    reload: () => files.reload(),
    handler(request, response) {
      handle(request, response, route).catch((error: unknown) => answerFailure(response, error, log));
    },
    async close() {
      files.close();
      await metrics?.close();
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

function answerFailure(response: ServerResponse, error: unknown, log: GatewayLog): void {
  if (error instanceof BodyError) {
    refuseBody(response, error);
    return;
  }
  log.log('error', 'REQUEST_HANDLING_FAILED', { error: error instanceof Error ? error.name : 'unknown' });
  if (!response.headersSent) response.writeHead(500);
  response.end();
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  route: RouteContext,
): Promise<void> {
  const { gateway, config, server } = route;
  const [path = '/', ...search] = (request.url ?? '/').split('?');
  if (path === '/health' && request.method === 'GET') {
    const health = gateway.health();
    const canServe = health.supergraph && health.revocation !== 'stale';
    sendJson(response, canServe ? 200 : 503, { status: canServe ? 'ok' : 'unavailable', ...health });
    return;
  }
  if (path === JWKS_PATH) {
    jwksHandler(gateway)(request, response);
    return;
  }
  if (request.method === 'GET' && answerMetadata(path, response, route)) return;
  if (path === TXN_TOKEN_PATH && config.propagation.passOn !== undefined) {
    await answerWorkload(request, response, gateway);
    return;
  }
  if (path === EXPLAIN_PATH && config.administration !== undefined) {
    const incoming = incomingOf(request, server);
    await answerAdministrator(request, response, gateway, config.administration, incoming);
    return;
  }
  if (path !== '/graphql' && path !== '/') {
    sendJson(response, 404, { error: 'not_found' });
    return;
  }
  if (request.method === 'GET' && config.http.get) {
    // Apollo Server runs queries only by GET, and asks for a header that no form of another site can send.
    await answerGraphQL(request, response, route, {
      method: 'GET',
      search: search.join('?'),
      body: undefined,
    });
    return;
  }
  if (request.method !== 'POST') {
    response.setHeader('allow', config.http.get ? 'GET, POST' : 'POST');
    sendJson(response, 405, { error: 'method_not_allowed' });
    return;
  }
  await answerPost(request, response, route);
}

/** One operation, or a batch of them where the configuration allows it. */
async function answerPost(
  request: IncomingMessage,
  response: ServerResponse,
  route: RouteContext,
): Promise<void> {
  const bytes = await readBody(request, { maxBytes: MAX_BODY_BYTES });
  const body = parseJson(request, bytes);
  if (Array.isArray(body)) {
    const { batch } = route.config.http;
    if (batch === undefined) {
      sendJson(response, 400, { error: 'batches_not_supported' });
      return;
    }
    const { maxOperations } = batch;
    if (body.length === 0 || body.length > maxOperations) {
      sendJson(response, 400, { error: 'batch_size', maxOperations });
      return;
    }
  }
  await answerGraphQL(request, response, route, { method: 'POST', search: '', body });
}

/** The rest of the body is not read, so the connection cannot take another request. */
function refuseBody(response: ServerResponse, { code, status }: BodyError): void {
  response.setHeader('connection', 'close');
  sendJson(response, status, { error: code.toLowerCase() });
}

/** RFC 9728 section 3. @returns whether it was asked for */
function answerMetadata(path: string, response: ServerResponse, { gateway, config }: RouteContext): boolean {
  const paths = ['', '/graphql', ...(config.administration === undefined ? [] : [EXPLAIN_PATH])];
  const { resource } = gateway;
  const described = resource?.pathOf(path, paths);
  if (resource === undefined || described === undefined) return false;
  response.setHeader('cache-control', 'public, max-age=300');
  sendJson(response, 200, resource.metadata(described));
  return true;
}
