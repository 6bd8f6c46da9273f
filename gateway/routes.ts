import type { IncomingMessage, ServerResponse } from 'node:http';
import { BodyError, isGetOrHead, readBody, sendJson } from '@behalf/http';
import { healthAnswer, isEncodedText, requestTarget } from '@behalf/http/internal';
import { answerAdministrator, EXPLAIN_PATH } from './administration.js';
import { answerGraphQL } from './graphql-endpoint.js';
import type { RouteContext } from './graphql-endpoint.js';
import { batchRefusal } from './http/batch.js';
import { isEncoded, MAX_BODY_BYTES, parseJson } from './http/body.js';
import { incomingOf } from './http/incoming.js';
import { JWKS_PATH, jwksHandler } from './http/jwks-handler.js';
import { isAcceptable } from './http/media-type.js';
import { isGraphQLPath, refuseAnywhere, refuseHttp, refuseOperation } from './http/refuse-http.js';
import type { GatewayLog } from './log.js';
import { failureFacts } from './stack-frames.js';
import { answerWorkload, TXN_TOKEN_PATH } from './txn-token-endpoint.js';

/** The addresses of health, before the gateway is complete. */
export { answerStartingHealth } from '@behalf/http/internal';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers every address of the gateway's server. */
export function createHandler(context: RouteContext, log: GatewayLog): Handler {
  return (request, response) => {
    // Before everything else, because every refusal needs them as well.
    context.cors?.setHeaders(request, response);
    answer(request, response, context).catch((error: unknown) =>
      answerFailure(request, response, error, log),
    );
  };
}

function answerFailure(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  log: GatewayLog,
): void {
  // The rest of the body is not read, so the connection cannot take another request.
  const headers = { connection: 'close' };
  if (error instanceof BodyError) {
    refuseAnywhere(request, response, error.code, headers);
    return;
  }
  log.log('error', 'REQUEST_HANDLING_FAILED', failureFacts(error));
  if (response.headersSent) response.end();
  else refuseAnywhere(request, response, 'INTERNAL_SERVER_ERROR', headers);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
): Promise<void> {
  // RFC 9112 section 3.2; node:http would refuse it without a body.
  if (request.httpVersion === '1.1' && request.headers.host === undefined) {
    refuseAnywhere(request, response, 'REQUEST_MALFORMED', { connection: 'close' });
    return;
  }
  const route = routeOf(requestTarget(request).path, context);
  if (route === undefined) {
    refuseHttp(response, 'NOT_FOUND');
    return;
  }
  // Before authentication: browsers send no token with it.
  if (context.cors?.answerPreflight(request, response, route.methods) === true) return;
  await route.answer(request, response);
}

/** An address of the server. It refuses other methods itself, in the form that it speaks. */
interface Route {
  readonly methods: readonly string[];
  answer(request: IncomingMessage, response: ServerResponse): Promise<void> | void;
}

/** @returns undefined for an unknown address */
function routeOf(path: string, context: RouteContext): Route | undefined {
  const { gateway, config, server } = context;
  if (isGraphQLPath(path))
    return {
      methods: graphqlMethods(config),
      answer: (request, response) => answerOperations(request, response, context),
    };
  if (path === TXN_TOKEN_PATH && config.propagation.passOn !== undefined)
    return { methods: ['POST'], answer: (request, response) => answerWorkload(request, response, gateway) };
  const { administration } = config;
  if (path === EXPLAIN_PATH && administration !== undefined)
    return {
      methods: ['POST'],
      answer: (request, response) =>
        answerAdministrator(request, response, gateway, administration, incomingOf(request, server)),
    };
  if (path === JWKS_PATH) return { methods: READ, answer: jwksHandler(gateway) };
  const answerRead =
    healthAnswer(path, { problems: () => gateway.notReady(), shutdown: context.shutdown }) ??
    metadataAnswer(path, context);
  return answerRead === undefined ? undefined : readRoute(answerRead);
}

const READ: readonly string[] = ['GET', 'HEAD'];

type AnswerRead = (response: ServerResponse) => Promise<void> | void;

function readRoute(answerRead: AnswerRead): Route {
  return {
    methods: READ,
    answer(request, response) {
      if (isGetOrHead(request)) return answerRead(response);
      refuseHttp(response, 'METHOD_NOT_ALLOWED', { allow: READ.join(', ') });
    },
  };
}

/** RFC 9728 section 3. @returns undefined if the path is not one of metadata */
function metadataAnswer(
  path: string,
  { gateway: { resource }, config }: RouteContext,
): AnswerRead | undefined {
  const paths = ['', '/graphql', ...(config.administration === undefined ? [] : [EXPLAIN_PATH])];
  const described = resource?.pathOf(path, paths);
  if (resource === undefined || described === undefined) return undefined;
  return (response) =>
    sendJson(response, 200, resource.metadata(described), { 'cache-control': 'public, max-age=300' });
}

function graphqlMethods({ http }: RouteContext['config']): readonly string[] {
  return http.get ? ['GET', 'HEAD', 'POST'] : ['POST'];
}

/** One operation, or a batch of them where the configuration allows it. */
async function answerOperations(
  request: IncomingMessage,
  response: ServerResponse,
  route: RouteContext,
): Promise<void> {
  if (route.config.http.get && isGetOrHead(request)) {
    if (refuseUnanswerable(request, response, undefined, route)) return;
    const { search } = requestTarget(request);
    if (!isEncodedText(search)) {
      refuseOperation(request, response, 'REQUEST_MALFORMED');
      return;
    }
    // Apollo Server runs queries only by GET, and asks for a header that no form of another site can send.
    const graphql = { method: 'GET', search, body: undefined };
    await answerGraphQL(request, response, route, graphql);
    return;
  }
  if (request.method !== 'POST') {
    refuseOperation(request, response, 'METHOD_NOT_ALLOWED', {
      allow: graphqlMethods(route.config).join(', '),
    });
    return;
  }
  if (isEncoded(request)) {
    // RFC 9110 section 15.5.16: the header tells what would be read.
    const headers = { 'accept-encoding': 'identity', connection: 'close' };
    refuseOperation(request, response, 'UNSUPPORTED_CONTENT_ENCODING', headers);
    return;
  }
  const bytes = await readBody(request, { maxBytes: MAX_BODY_BYTES });
  const body = parseJson(request, bytes);
  if (refuseUnanswerable(request, response, body, route)) return;
  await answerGraphQL(request, response, route, { method: 'POST', search: '', body });
}

/**
 * Refuses what Apollo Server would execute without giving the client the answer.
 *
 * @returns whether the request was refused, and answered
 */
function refuseUnanswerable(
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
  { config: { http } }: RouteContext,
): boolean {
  if (!isAcceptable(request.headers.accept)) {
    refuseOperation(request, response, 'NOT_ACCEPTABLE');
    return true;
  }
  const refusal = Array.isArray(body) ? batchRefusal(body, http.batch) : undefined;
  if (refusal === undefined) return false;
  refuseOperation(request, response, refusal.code, {}, refusal.details);
  return true;
}
