import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApolloServer, HeaderMap } from '@apollo/server';
import type { HTTPGraphQLRequest, HTTPGraphQLResponse } from '@apollo/server';
import {
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { GraphQLError } from 'graphql';
import type { GraphQLFormattedError } from 'graphql';
import { isRecord, withoutUndefined } from '@behalf/directives/internal';
import type { Shutdown } from '@behalf/http/internal';
import { isClientError } from './client-error.js';
import type { CheckedConfig } from './config/config.js';
import type { Cors } from './http/cors.js';
import { incomingOf } from './http/incoming.js';
import type { ServerContext } from './http/incoming.js';
import { MINIMIZED_HEADER } from './http/minimized-header.js';
import { refuseOperation } from './http/refuse-http.js';
import { persistedQueryCache } from './http/persisted-queries.js';
import type { GatewayLog } from './log.js';
import type { ProtectedGateway } from './protect-gateway.js';
import type { GatewayContext } from './stages/gateway-request.js';

/** Shared by all routes of the server. */
export interface RouteContext {
  readonly apollo: ApolloServer<GatewayContext>;
  readonly gateway: ProtectedGateway;
  readonly config: CheckedConfig;
  readonly server: ServerContext;
  /** Undefined if no page may call the gateway from a browser. */
  readonly cors: Cors | undefined;
  readonly shutdown: Pick<Shutdown, 'isDraining'>;
}

/** Apollo Server as Behalf's own server uses it: it parses operations, and decides nothing. */
export function createApolloServer(
  gateway: ProtectedGateway,
  config: CheckedConfig,
  log: GatewayLog,
): ApolloServer<GatewayContext> {
  return new ApolloServer<GatewayContext>({
    gateway,
    // The pipeline decides about introspection, by the caller.
    introspection: true,
    allowBatchedHttpRequests: config.http.batch !== undefined,
    documentStore: gateway.documents,
    persistedQueries:
      config.http.persistedQueries === undefined
        ? false
        : { cache: persistedQueryCache(config.http.persistedQueries.maxEntries) },
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    nodeEnv: 'production',
    // The gateway's plugin removes suggestions: Apollo's takes quadratic time in the length of a message.
    hideSchemaDetailsFromClientErrors: false,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      gateway.limitsPlugin(),
    ],
    formatError: maskUnexpected,
    logger: apolloLogger(log),
  });
}

type GraphQLRequest = Pick<HTTPGraphQLRequest, 'method' | 'search' | 'body'>;

/** Authenticates once, then authorizes and records each operation separately. */
export async function answerGraphQL(
  request: IncomingMessage,
  response: ServerResponse,
  { apollo, gateway, server, config }: RouteContext,
  graphql: GraphQLRequest,
): Promise<void> {
  const operations = Array.isArray(graphql.body) ? graphql.body.length : 1;
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const begun = gateway.begin({
    ...incomingOf(request, server),
    isBatch: Array.isArray(graphql.body),
  });
  let answer: HTTPGraphQLResponse;
  try {
    answer = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { headers, ...graphql },
      context: () => gateway.authenticate(begun),
    });
  } finally {
    await gateway.finish(begun, operations);
  }
  // Names the records of this request, for later inquiries.
  response.setHeader(
    'behalf-transaction',
    begun.exchanges.map(({ transactionId }) => transactionId).join(', '),
  );
  const receipts = gateway.pipeline.receiptsOf(begun);
  if (receipts !== undefined) response.setHeader('behalf-receipt', receipts);
  for (const [name, value] of begun.responseHeaders) response.setHeader(name, value);
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  // Beside `Origin`, if pages may read the response.
  if (config.authorization.minimizedPaths) response.appendHeader('vary', MINIMIZED_HEADER);
  response.statusCode = isList(answer) ? 200 : (answer.status ?? 200);
  if (answer.body.kind === 'complete') {
    response.setHeader('content-length', Buffer.byteLength(answer.body.string));
    response.end(answer.body.string);
  } else {
    // @defer and @stream are not in the gateway's schema, so nothing is sent in parts.
    refuseOperation(request, response, 'INTERNAL_SERVER_ERROR');
  }
}

/** Each operation of a batch has its own outcome, and none of them decides the status. A refused batch is not answered by a list. */
function isList({ body }: HTTPGraphQLResponse): boolean {
  return body.kind === 'complete' && body.string.startsWith('[');
}

/**
 * Unexpected errors tell the client nothing. The pipeline ensures that for its own; these come from outside of it: from Apollo Server,
 * which gives a few mistakes of the client a status, but no code.
 */
function maskUnexpected(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  if (formatted.extensions?.code !== 'INTERNAL_SERVER_ERROR' || isClientError(error)) return formatted;
  if (isBadRequest(error))
    return {
      message: PERSISTED_QUERY_MISTAKES.get(formatted.message) ?? 'The request cannot be read',
      extensions: { code: 'BAD_REQUEST' },
    };
  return withoutUndefined({
    message: 'Internal server error',
    path: formatted.path,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}

/** Apollo Server's words, and ours, which also fit a member that is missing or of another type. */
const PERSISTED_QUERY_MISTAKES: ReadonlyMap<string, string> = new Map([
  [
    'Unsupported persisted query version',
    '"extensions.persistedQuery" must be an object with "version": 1 and "sha256Hash"',
  ],
  [
    'provided sha does not match query',
    '"extensions.persistedQuery.sha256Hash" must be the SHA-256 of the query, in lower-case hex',
  ],
]);

function isBadRequest(error: unknown): boolean {
  if (!(error instanceof GraphQLError) || error.extensions.code !== undefined) return false;
  const { http } = error.extensions;
  return isRecord(http) && http.status === 400;
}

/** Apollo's text may quote what a client sent; only the fact is logged. */
function apolloLogger(log: GatewayLog) {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: () => log.log('debug', 'APOLLO_WARNING'),
    error: () => log.log('warn', 'APOLLO_ERROR'),
  };
}
