import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerAdministrator, EXPLAIN_PATH } from './administration.js';
import { checkConfig } from './config/config.js';
import type { CheckedConfig, GatewayConfig } from './config/config.js';
import { openOptions, supergraphFile } from './config/open.js';
import { Connections } from './connections.js';
import { answerGraphQL, createApolloServer } from './graphql-endpoint.js';
import type { RouteContext } from './graphql-endpoint.js';
import { parseJson, readBody } from './http/body.js';
import { incomingOf } from './http/incoming.js';
import { listen, sendJson } from './http/listen.js';
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

export interface GatewayOverrides {
  readonly log?: GatewayLog;
  readonly policies?: Readonly<Record<string, PolicyFunction>>;
}

export interface RunningGateway {
  readonly url: string;
  readonly gateway: ProtectedGateway;
  /** Of the listener for Prometheus, when there is one. */
  readonly metricsUrl?: string;
  /** Reads the supergraph file again; what cannot be served is refused and logged, and what is served stays. */
  reloadSupergraph(): Promise<void>;
  /** Answers what is under way, then closes. */
  close(): Promise<void>;
}

/**
 * Starts the gateway's server from its configuration.
 *
 * @throws {ConfigurationError} for what the configuration cannot mean; `SupergraphError` for a supergraph that must not be
 *   served; the system's error when the address is taken.
 */
export async function startGateway(
  given: GatewayConfig | CheckedConfig,
  overrides: GatewayOverrides = {},
): Promise<RunningGateway> {
  const config = checkConfig(given);
  const log = overrides.log ?? jsonLog(config.log.level);
  const { host, port, tls } = config.listen;
  const proxies = new TrustedProxies(config.proxies);
  const server = tls === undefined ? createServer() : await createTlsServer(tls);
  const connections = new Connections(server);
  server.on('request', notYet);
  const url = await listen(server, host, port);
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
  const supergraph = await supergraphFile(config.supergraph);
  const options = await openOptions(config, url);
  const gateway = protectGateway(
    { supergraphSdl: supergraph.manager },
    {
      ...options,
      externalUrl: server.externalUrl,
      policies: { ...options.policies, functions: overrides.policies },
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
  const metrics = await openMetrics();
  return {
    gateway,
    ...(metrics === undefined ? {} : { metricsUrl: metrics.url }),
    reloadSupergraph: supergraph.reload,
    handler(request, response) {
      handle(request, response, { apollo, gateway, config, server }).catch((error: unknown) => {
        log.log('error', 'REQUEST_HANDLING_FAILED', {
          error: error instanceof Error ? error.name : 'unknown',
        });
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    },
    async close() {
      await metrics?.close();
      await apollo.stop();
    },
  };

  async function openMetrics(): Promise<MetricsServer | undefined> {
    if (config.metrics === undefined) return undefined;
    try {
      return await startMetricsServer(gateway, config.metrics.listen);
    } catch (error) {
      await apollo.stop();
      throw error;
    }
  }
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
  if (path === '/.well-known/jwks.json' && request.method === 'GET') {
    response.setHeader('cache-control', 'public, max-age=60');
    sendJson(response, 200, await gateway.jwks());
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
  const bytes = await readBody(request);
  if (bytes === undefined) {
    response.setHeader('connection', 'close');
    sendJson(response, 413, { error: 'body_too_large' });
    return;
  }
  const body = parseJson(request, bytes);
  if (Array.isArray(body)) {
    const { batch } = config.http;
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
