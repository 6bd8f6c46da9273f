import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import { ConfigurationError, httpErrors } from '../errors.js';
import type { HttpErrorCode } from '../errors.js';

/** The default address of the gateway's keys for subgraphs. */
export const JWKS_PATH = '/.well-known/jwks.json';

/** The part of a protected gateway that the handlers use. */
export interface JwksSource {
  /** The public keys of the transaction tokens (RFC 7517). */
  jwks(): Promise<{ readonly keys: readonly JWK[] }>;
}

/** Shorter than the time for which the next key is published before it signs. */
const CACHE_CONTROL = 'public, max-age=60';
const JSON_TYPE = 'application/json; charset=utf-8';

interface JwksAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Serves the public keys of a gateway's transaction tokens (RFC 7517) from `node:http` and Express: GET and HEAD, 405 for
 * any other method, 503 while there are no keys. It reads no body and never throws. It does not look at the path.
 *
 * @throws {ConfigurationError} for anything but a protected gateway, and for a reply of Fastify
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { jwksHandler, protectGateway } from '@behalf/gateway';
 *
 * const gateway = protectGateway(
 *   { supergraphSdl: '…' },
 *   {
 *     issuers: [{ issuer: 'https://login.example', audience: 'https://api.example' }],
 *     propagation: { issuer: 'https://gateway.example' },
 *   },
 * );
 * createServer(jwksHandler(gateway)).listen(4001);
 * // Express: app.get('/.well-known/jwks.json', jwksHandler(gateway));
 * ```
 */
export function jwksHandler(
  source: JwksSource,
): (request: IncomingMessage, response: ServerResponse) => void {
  requireSource('jwksHandler', source);
  return (request, response) => {
    // Fastify turns what is thrown here into an answer; a rejected promise would end the process.
    if (typeof response.setHeader !== 'function')
      throw new ConfigurationError(
        'jwksHandler',
        'answers node:http and Express; for Fastify use fastifyJwksHandler',
      );
    void answerJwks(source, request.method).then(({ status, headers, body }) => {
      response.statusCode = status;
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  };
}

/** The part of a Fastify reply that the handler uses. */
export interface FastifyReplyLike {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(payload: string): unknown;
}

/**
 * The same as {@link jwksHandler} for Fastify.
 *
 * @example
 * ```ts
 * import { fastifyJwksHandler, protectGateway } from '@behalf/gateway';
 * import fastify from 'fastify';
 *
 * const gateway = protectGateway(
 *   { supergraphSdl: '…' },
 *   {
 *     issuers: [{ issuer: 'https://login.example', audience: 'https://api.example' }],
 *     propagation: { issuer: 'https://gateway.example' },
 *   },
 * );
 * fastify().get('/.well-known/jwks.json', fastifyJwksHandler(gateway));
 * ```
 */
export function fastifyJwksHandler(
  source: JwksSource,
): (request: { readonly method: string }, reply: FastifyReplyLike) => Promise<void> {
  requireSource('fastifyJwksHandler', source);
  return async (request, reply) => {
    const { status, headers, body } = await answerJwks(source, request.method);
    reply.code(status);
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    // Fastify keeps the length of a HEAD response, and drops the body.
    reply.send(body);
  };
}

function requireSource(handler: string, source: Partial<JwksSource> | null | undefined): void {
  if (typeof source?.jwks !== 'function')
    throw new ConfigurationError(handler, 'needs the gateway that protectGateway returned');
}

async function answerJwks(source: JwksSource, method: string | undefined): Promise<JwksAnswer> {
  if (method !== 'GET' && method !== 'HEAD') return refusal('METHOD_NOT_ALLOWED', { allow: 'GET, HEAD' });
  try {
    return answer(200, await source.jwks(), { 'cache-control': CACHE_CONTROL });
  } catch {
    return refusal('KEYS_UNAVAILABLE', { 'retry-after': '1' });
  }
}

function refusal(code: HttpErrorCode, headers: Readonly<Record<string, string>>): JwksAnswer {
  const { description: message, status } = httpErrors[code];
  return answer(status, { error: code, message }, { 'cache-control': 'no-store', ...headers });
}

function answer(status: number, value: unknown, headers: Readonly<Record<string, string>>): JwksAnswer {
  const body = JSON.stringify(value);
  const length = String(Buffer.byteLength(body));
  return { status, headers: { 'content-type': JSON_TYPE, 'content-length': length, ...headers }, body };
}
