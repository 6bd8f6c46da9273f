import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApolloServer, HeaderMap } from '@apollo/server';
import type { HTTPGraphQLRequest, HTTPGraphQLResponse } from '@apollo/server';
import {
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { GraphQLFormattedError } from 'graphql';
import { BodyError, Connections, listen, readBody, sendJson } from '@behalf/http';
import { answerAdministrator, EXPLAIN_PATH } from './administration.js';
import type { GatewayConfig } from './config/config.js';
import { dpopOptions, openReplay } from './config/dpop.js';
import { openAudit, readIssuer, readKey } from './config/open.js';
import { RuleFiles } from './config/rule-files.js';
import { isClientError } from './client-error.js';
import type { ExchangeContext } from './exchange.js';
import { MAX_BODY_BYTES, parseJson } from './http/body.js';
import { incomingOf } from './http/incoming.js';
import { JWKS_PATH, jwksHandler } from './http/jwks-handler.js';
import type { Surroundings } from './http/incoming.js';
import { persistedQueryCache } from './http/persisted-queries.js';
import { TrustedProxies } from './http/proxies.js';
import { createTlsServer } from './http/tls.js';
import { deprecatedKeys } from './config/deprecated-keys.js';
import configSchema from './config/schema.json' with { type: 'json' };
import { jsonLog } from './log.js';
import type { GatewayLog } from './log.js';
import { startMetricsServer } from './metrics-server.js';
import type { MetricsServer } from './metrics-server.js';
import type { PolicyFunction } from './policies/index.js';
import { protectGateway } from './protect-gateway.js';
import type { ProtectedGateway } from './protect-gateway.js';
import type { RevocationHooks } from './revocation/hooks.js';
import { answerWorkload, TXN_TOKEN_PATH } from './txn-token-endpoint.js';

/** What a program adds to its configuration. */
export interface GatewayOverrides extends RevocationHooks {
  readonly log?: GatewayLog;
  readonly policies?: Readonly<Record<string, PolicyFunction>>;
}

export interface RunningGateway {
  readonly url: string;
  readonly gateway: ProtectedGateway;
  /** Of the listener for Prometheus, when there is one. */
  readonly metricsUrl?: string;
  /**
   * Reads supergraph, policy and Cedar file again, changed or not. What must not be served is refused and logged, and what is
   * served stays. Changes of the files cause the same without a call.
   *
   * @returns whether what is in the files is served now.
   */
  reload(): Promise<boolean>;
  /** Answers what is under way, then closes. */
  close(): Promise<void>;
}

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 4000;
const DEFAULT_PERSISTED_QUERIES = 1_000;
const DEFAULT_BATCH_OPERATIONS = 10;

/**
 * Starts the gateway's server from its configuration.
 *
 * @throws {ConfigurationError} for what the configuration cannot mean; `SupergraphError` for a supergraph that must not be
 *   served; `ListenError` when the address cannot be listened on.
 */
export async function startGateway(
  config: GatewayConfig,
  overrides: GatewayOverrides = {},
): Promise<RunningGateway> {
  const log = overrides.log ?? jsonLog(config.log?.level);
  for (const { key, advice } of deprecatedKeys(configSchema, config))
    log.log('warn', 'DEPRECATED_KEY', { key, advice });
  const host = config.listen?.host ?? DEFAULT_HOST;
  const tls = config.listen?.tls;
  const proxies = new TrustedProxies(config.proxies);
  const server = tls === undefined ? createServer() : await createTlsServer(tls);
  const connections = new Connections(server);
  server.on('request', notYet);
  const { origin: url } = await listen(server, host, config.listen?.port ?? DEFAULT_PORT);
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

type Served = Omit<RunningGateway, 'url'> & {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
};

async function serve(
  url: string,
  config: GatewayConfig,
  overrides: GatewayOverrides,
  log: GatewayLog,
  proxies: TrustedProxies,
): Promise<Served> {
  const surroundings = { externalUrl: config.externalUrl ?? url, proxies };
  const files = new RuleFiles(config);
  const { supergraphSdl, policy, policyEvaluators } = await files.first();
  const key =
    config.propagation?.keyFile === undefined ? undefined : await readKey(config.propagation.keyFile);
  const issuers = await Promise.all(config.issuers.map(readIssuer));
  const audit = await openAudit(config);
  const replay = await openReplay(config);
  const closeStores = async (): Promise<void> => {
    try {
      await replay.close();
    } finally {
      if (audit.mode !== 'off') await audit.sink.close();
    }
  };
  const protect = (): ProtectedGateway =>
    protectGateway(
      { supergraphSdl },
      {
        issuers,
        externalUrl: surroundings.externalUrl,
        dpop: dpopOptions(config, replay),
        knowsClientCertificates:
          config.listen?.tls?.requestClientCertificate === true || config.proxies?.clientCertificate === true,
        limits: { ...config.limits, planInWorker: true },
        ...(config.authorization === undefined ? {} : { authorization: config.authorization }),
        ...(config.introspection === undefined ? {} : { introspection: config.introspection }),
        propagation: {
          issuer: config.propagation?.issuer ?? url,
          ...(config.propagation?.tokenLifetimeSeconds === undefined
            ? {}
            : { tokenLifetimeSeconds: config.propagation.tokenLifetimeSeconds }),
          ...(config.propagation?.rotateKeysAfterSeconds === undefined
            ? {}
            : { rotateKeysAfterSeconds: config.propagation.rotateKeysAfterSeconds }),
          ...(config.propagation?.bind === undefined ? {} : { bind: config.propagation.bind }),
          ...(config.propagation?.passOn === undefined ? {} : { passOn: config.propagation.passOn }),
          ...(key === undefined ? {} : { key }),
        },
        ...(config.revocation === undefined ? {} : { revocation: config.revocation }),
        ...(config.subgraphs === undefined ? {} : { subgraphs: config.subgraphs }),
        ...(config.subgraphErrors === undefined ? {} : { subgraphErrors: config.subgraphErrors }),
        ...(overrides.policies === undefined ? {} : { policies: overrides.policies }),
        policyEvaluators,
        onRevocation: overrides.onRevocation,
        onConsentChange: overrides.onConsentChange,
        ...(config.policies?.timeoutMs === undefined ? {} : { policyTimeoutMs: config.policies.timeoutMs }),
        ...(policy === undefined ? {} : { policy }),
        audit,
        log,
      },
    );
  let gateway: ProtectedGateway;
  try {
    gateway = protect();
  } catch (error) {
    await closeStores();
    throw error;
  }
  const apollo = new ApolloServer<ExchangeContext>({
    gateway,
    // Asking for the schema is decided in the pipeline, by the caller.
    introspection: true,
    allowBatchedHttpRequests: config.http?.batch !== undefined,
    documentStore: gateway.documents,
    persistedQueries:
      config.http?.persistedQueries === undefined
        ? false
        : {
            cache: persistedQueryCache(config.http.persistedQueries.maxEntries ?? DEFAULT_PERSISTED_QUERIES),
          },
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    nodeEnv: 'production',
    // The gateway's plugin takes suggestions away: Apollo's takes time that grows with the square of what a message quotes.
    hideSchemaDetailsFromClientErrors: false,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      gateway.limitsPlugin(),
    ],
    formatError: maskUnexpected,
    logger: apolloLogger(log),
  });
  try {
    await apollo.start();
  } catch (error) {
    await gateway.stop();
    await closeStores();
    throw error;
  }
  const metrics = await openMetrics();
  await files.watch(gateway);
  return {
    gateway,
    ...(metrics === undefined ? {} : { metricsUrl: metrics.url }),
    reload: () => files.reload(),
    handler(request, response) {
      handle(request, response, { apollo, gateway, config, surroundings }).catch((error: unknown) => {
        if (error instanceof BodyError) {
          refuseBody(response, error);
          return;
        }
        log.log('error', 'REQUEST_HANDLING_FAILED', {
          error: error instanceof Error ? error.name : 'unknown',
        });
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    },
    async close() {
      files.close();
      try {
        await metrics?.close();
        await apollo.stop();
      } finally {
        await closeStores();
      }
    },
  };

  async function openMetrics(): Promise<MetricsServer | undefined> {
    if (config.metrics === undefined) return undefined;
    try {
      return await startMetricsServer(gateway, { host: DEFAULT_HOST, ...config.metrics.listen });
    } catch (error) {
      await apollo.stop();
      await closeStores();
      throw error;
    }
  }
}

interface Handling {
  readonly apollo: ApolloServer<ExchangeContext>;
  readonly gateway: ProtectedGateway;
  readonly config: GatewayConfig;
  readonly surroundings: Surroundings;
}

async function handle(request: IncomingMessage, response: ServerResponse, handling: Handling): Promise<void> {
  const { gateway, config, surroundings } = handling;
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
  if (request.method === 'GET' && answerMetadata(path, response, handling)) return;
  if (path === TXN_TOKEN_PATH && config.propagation?.passOn !== undefined) {
    await answerWorkload(request, response, gateway);
    return;
  }
  if (path === EXPLAIN_PATH && config.administration !== undefined) {
    const incoming = incomingOf(request, surroundings);
    await answerAdministrator(request, response, gateway, config.administration, incoming);
    return;
  }
  if (path !== '/graphql' && path !== '/') {
    sendJson(response, 404, { error: 'not_found' });
    return;
  }
  if (request.method === 'GET' && config.http?.get === true) {
    // Apollo Server runs queries only by GET, and asks for a header that no form of another site can send.
    await answerGraphQL(request, response, handling, {
      method: 'GET',
      search: search.join('?'),
      body: undefined,
    });
    return;
  }
  if (request.method !== 'POST') {
    response.setHeader('allow', config.http?.get === true ? 'GET, POST' : 'POST');
    sendJson(response, 405, { error: 'method_not_allowed' });
    return;
  }
  const bytes = await readBody(request, { maxBytes: MAX_BODY_BYTES });
  const body = parseJson(request, bytes);
  if (Array.isArray(body)) {
    const { batch } = config.http ?? {};
    if (batch === undefined) {
      sendJson(response, 400, { error: 'batches_not_supported' });
      return;
    }
    const maxOperations = batch.maxOperations ?? DEFAULT_BATCH_OPERATIONS;
    if (body.length === 0 || body.length > maxOperations) {
      sendJson(response, 400, { error: 'batch_size', maxOperations });
      return;
    }
  }
  await answerGraphQL(request, response, handling, { method: 'POST', search: '', body });
}

/** The rest of the body is not read, so the connection cannot take another request. */
function refuseBody(response: ServerResponse, { code, status }: BodyError): void {
  response.setHeader('connection', 'close');
  sendJson(response, status, { error: code.toLowerCase() });
}

/** RFC 9728 section 3. @returns whether it was asked for */
function answerMetadata(path: string, response: ServerResponse, { gateway, config }: Handling): boolean {
  const paths = ['', '/graphql', ...(config.administration === undefined ? [] : [EXPLAIN_PATH])];
  const { resource } = gateway;
  const described = resource?.pathOf(path, paths);
  if (resource === undefined || described === undefined) return false;
  response.setHeader('cache-control', 'public, max-age=300');
  sendJson(response, 200, resource.metadata(described));
  return true;
}

type GraphQLRequest = Pick<HTTPGraphQLRequest, 'method' | 'search' | 'body'>;

/** Authenticates once, then authorizes and records each operation by itself. */
async function answerGraphQL(
  request: IncomingMessage,
  response: ServerResponse,
  { apollo, gateway, surroundings }: Handling,
  graphql: GraphQLRequest,
): Promise<void> {
  const operations = Array.isArray(graphql.body) ? graphql.body.length : 1;
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const exchange = gateway.begin({
    ...incomingOf(request, surroundings),
    isBatch: Array.isArray(graphql.body),
  });
  let answer: HTTPGraphQLResponse;
  try {
    answer = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { headers, ...graphql },
      context: () => gateway.authenticate(exchange),
    });
  } finally {
    await gateway.finish(exchange, operations);
  }
  // Names the records of this request, for whoever asks about it later.
  response.setHeader(
    'behalf-transaction',
    exchange.family.map(({ transactionId }) => transactionId).join(', '),
  );
  for (const [name, value] of exchange.responseHeaders) response.setHeader(name, value);
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  // Of a batch that was read, each operation has its own outcome, and none of them is that of all.
  const isBatchAnswer = exchange.incoming.isBatch === true && exchange.authenticated;
  response.statusCode = isBatchAnswer ? 200 : (answer.status ?? 200);
  if (answer.body.kind === 'complete') response.end(answer.body.string);
  else {
    // @defer and @stream are not in the gateway's schema, so nothing comes in parts.
    response.statusCode = 500;
    response.end();
  }
}

/** What nobody foresaw tells the client nothing. The pipeline's own errors are made so; these are of what is around it. */
function maskUnexpected(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  if (formatted.extensions?.code !== 'INTERNAL_SERVER_ERROR' || isClientError(error)) return formatted;
  return {
    message: 'Internal server error',
    ...(formatted.path === undefined ? {} : { path: formatted.path }),
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  };
}

/** Apollo's words may quote what a client sent; only that they were said is logged. */
function apolloLogger(log: GatewayLog) {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: () => log.log('debug', 'APOLLO_WARNING'),
    error: () => log.log('warn', 'APOLLO_ERROR'),
  };
}
