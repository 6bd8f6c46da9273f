import { isUtf8 } from 'node:buffer';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { ApolloServer, HeaderMap } from '@apollo/server';
import { unwrapResolverError } from '@apollo/server/errors';
import { protectedContext, type ProtectedContext, protectedSubgraphPlugin } from '@behalf/directives';
import { type DocumentNode, GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';

import type { Log } from '@behalf/store';
import { BodyError, Connections, isGetOrHead, listen, readBody, type ShutdownOptions } from '@behalf/http';
import {
  DEFAULT_NOT_READY_MS,
  type Health,
  healthAnswer,
  isEncodedText,
  type Readiness,
  requestTarget,
  Shutdown,
  shutdownProblem,
} from '@behalf/http/internal';
import { withoutUndefined } from '@behalf/directives/internal';
import { type RefusalCode, refuseHttp, refuseOperation } from './refusals.js';

/** @see startSubgraph */
export interface SubgraphServerOptions<Context extends ProtectedContext> {
  readonly name: string;
  /** Made by `buildProtectedSubgraph`. */
  readonly schema: GraphQLSchema;
  /** Adds what the resolvers need to the protected context of a request. */
  readonly makeContext: (base: ProtectedContext) => Context;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Whether the schema can be read by introspection; default false. */
  readonly introspection?: boolean | undefined;
  /** By what `/health/ready` tells whether requests would be answered. */
  readonly readiness: Readiness<string>;
  /** Wraps the closing of the server: what has to end before and after it. Default: nothing. */
  readonly closeWith?: (closeServer: () => Promise<void>) => Promise<void>;
  /** How {@link RunningSubgraph.drain} ends it. Default: `notReadyMs` 5,000 and `drainMs` 3,000. */
  readonly shutdown?: ShutdownOptions | undefined;
  readonly log?: Log | undefined;
}

/** A running subgraph, see {@link startConsentSubgraph}. */
export interface RunningSubgraph {
  readonly url: string;
  /**
   * Ends the subgraph as SIGTERM should: for `shutdown.notReadyMs` it answers requests, and `/health/ready` says `DRAINING`. Then
   * as {@link close}, which also ends the wait.
   */
  drain(): Promise<void>;
  /** Answers pending requests, for `shutdown.drainMs` at most, then closes every connection. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 1_048_576;
const DEFAULT_DRAIN_MS = 3_000;
/** Against documents made long on purpose: those of a gateway are far shorter. */
const MAX_TOKENS = 10_000;
const MAX_DOCUMENT_BYTES = 64 * 1_048_576;
/** Upper bound of what a parsed document takes in memory; measured by the gateway's benchmark. */
const BYTES_PER_CHARACTER = 200;

/**
 * Serves a subgraph's schema over HTTP, at `/`.
 *
 * Only a GraphQLError of a resolver reaches the caller: the message of any other error could quote stored values.
 *
 * @throws Error when the address cannot be listened on, or `shutdown` cannot be used
 */
export async function startSubgraph<Context extends ProtectedContext>(
  options: SubgraphServerOptions<Context>,
): Promise<RunningSubgraph> {
  const { closeWith = (closeServer) => closeServer(), log, name, readiness } = options;
  const { drainMs = DEFAULT_DRAIN_MS, notReadyMs = DEFAULT_NOT_READY_MS } = options.shutdown ?? {};
  const problem = shutdownProblem(options.shutdown ?? {});
  if (problem !== undefined) throw new Error(`Subgraph ${name}: ${problem}`);
  const apollo = createApollo(options);
  await apollo.start();
  const http = createServer((request, response) => {
    answer(request, response, serving).catch((error: unknown) => {
      log?.log('error', 'REQUEST_HANDLING_FAILED', { subgraph: name, error: kindOf(error) });
      if (response.headersSent) response.end();
      else refuseOperation(response, 'INTERNAL_SERVER_ERROR', { connection: 'close' });
    });
  });
  const connections = new Connections(http);
  const shutdown = new Shutdown(() =>
    closeWith(async () => {
      await connections.close({ answerGraceMs: drainMs });
      await apollo.stop();
    }),
  );
  const health: Health = { problems: () => readiness.problems(), shutdown };
  const serving = { apollo, health, options };
  const { origin } = await listen(http, options.host, options.port).catch(async (error: unknown) => {
    await apollo.stop();
    const reason = error instanceof Error ? error.message : 'unknown reason';
    throw new Error(`Subgraph ${name} ${reason}`, { cause: error });
  });
  return {
    url: origin,
    drain: () => shutdown.drain(notReadyMs),
    close: () => shutdown.close(),
  };
}

function createApollo<Context extends ProtectedContext>({
  introspection = false,
  log,
  name,
  schema,
}: SubgraphServerOptions<Context>): ApolloServer<Context> {
  return new ApolloServer<Context>({
    schema,
    plugins: [protectedSubgraphPlugin(schema)],
    introspection,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    documentStore: boundedDocuments(),
    parseOptions: { maxLexicalTokens: MAX_TOKENS },
    formatError: (formatted, error) => hideInternals(formatted, error, name, log),
    logger: SILENT_LOGGER,
  });
}

interface Serving<Context extends ProtectedContext> {
  readonly apollo: ApolloServer<Context>;
  readonly health: Health;
  readonly options: SubgraphServerOptions<Context>;
}

async function answer<Context extends ProtectedContext>(
  request: IncomingMessage,
  response: ServerResponse,
  serving: Serving<Context>,
): Promise<void> {
  const { path, search } = requestTarget(request);
  const answerHealth = healthAnswer(path, serving.health);
  if (path === '/') await answerOperation(request, response, search, serving);
  else if (answerHealth === undefined) refuseHttp(response, 'NOT_FOUND');
  else if (isGetOrHead(request)) await answerHealth(response);
  else refuseHttp(response, 'METHOD_NOT_ALLOWED', { allow: 'GET, HEAD' });
}

async function answerOperation<Context extends ProtectedContext>(
  request: IncomingMessage,
  response: ServerResponse,
  search: string,
  { apollo, options: { makeContext, schema } }: Serving<Context>,
): Promise<void> {
  if (request.method !== 'POST' && !isGetOrHead(request)) {
    refuseOperation(response, 'METHOD_NOT_ALLOWED', { allow: 'GET, HEAD, POST' });
    return;
  }
  if (!isEncodedText(search)) {
    refuseOperation(response, 'BAD_REQUEST');
    return;
  }
  const body = request.method === 'POST' ? await readJson(request) : undefined;
  if (body instanceof Refusal) {
    // The rest of the body is not read, so the connection cannot take another request.
    refuseOperation(response, body.code, { connection: 'close' });
    return;
  }
  const headers = new HeaderMap();
  for (const [key, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(key, Array.isArray(value) ? value.join(', ') : value);
  }
  const result = await apollo.executeHTTPGraphQLRequest({
    // HEAD is answered as GET; node:http leaves out the body.
    httpGraphQLRequest: { method: isGetOrHead(request) ? 'GET' : 'POST', headers, search, body },
    context: async () => makeContext(await protectedContext(schema, request.headers, body)),
  });
  response.statusCode = result.status ?? 200;
  for (const [key, value] of result.headers) response.setHeader(key, value);
  if (result.body.kind === 'complete') {
    // Stated, because node:http counts nothing for HEAD.
    response.setHeader('content-length', Buffer.byteLength(result.body.string));
    response.end(result.body.string);
    return;
  }
  for await (const chunk of result.body.asyncIterator) response.write(chunk);
  response.end();
}

/** Apollo Server's own store counts only the characters of a document as JSON, many times less than its tokens take. */
function boundedDocuments() {
  const documents = new LRUCache<string, DocumentNode>({ maxSize: MAX_DOCUMENT_BYTES });
  return {
    get: async (key: string) => documents.get(key),
    set: async (key: string, document: DocumentNode) => {
      const length = document.loc?.source.body.length ?? MAX_BODY_BYTES;
      documents.set(key, document, { size: 1 + length * BYTES_PER_CHARACTER });
    },
    delete: async (key: string) => documents.delete(key),
  };
}

class Refusal {
  constructor(readonly code: RefusalCode) {}
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  try {
    const body = await readBody(request, { maxBytes: MAX_BODY_BYTES });
    // Decoding would replace what is not UTF-8, and another operation would run than was sent.
    return isUtf8(body) ? (JSON.parse(body.toString()) as unknown) : new Refusal('BAD_REQUEST');
  } catch (error) {
    if (error instanceof BodyError) return new Refusal(error.code);
    if (error instanceof SyntaxError) return new Refusal('BAD_REQUEST');
    throw error;
  }
}

function hideInternals(
  formatted: GraphQLFormattedError,
  error: unknown,
  name: string,
  log: Log | undefined,
): GraphQLFormattedError {
  const cause = unwrapResolverError(error);
  if (cause instanceof GraphQLError) return formatted;
  // Log the kind only: the message of a database error can quote values.
  log?.log('error', 'RESOLVER_FAILED', {
    subgraph: name,
    error: kindOf(cause),
    path: (formatted.path ?? []).join('.'),
  });
  return withoutUndefined({
    message: 'Internal server error',
    path: formatted.path,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'a value that is not an Error';
  return 'code' in error && typeof error.code === 'string' ? `${error.name} ${error.code}` : error.name;
}

function nothing(): void {
  // Apollo Server's own messages can quote a client's request.
}
const SILENT_LOGGER = { debug: nothing, info: nothing, warn: nothing, error: nothing };
