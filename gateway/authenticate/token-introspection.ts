import { createHash } from 'node:crypto';
import type { Clock } from '@behalf/directives';
import { isStringArray, systemClock } from '@behalf/directives/internal';
import { importJWK } from 'jose';
import type { JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import {
  allowInsecureRequests,
  ClientSecretBasic,
  customFetch,
  introspectionRequest,
  PrivateKeyJwt,
  processIntrospectionResponse,
} from 'oauth4webapi';
import type { ClientAuth, IntrospectionResponse } from 'oauth4webapi';
import { networkOf } from '@behalf/http';
import { boundedFetch } from '@behalf/http/internal';
import { cacheTime } from '../cache-time.js';
import { RefusedError } from '../errors.js';
import { systemCode } from '../system-code.js';
import { invalidToken } from './bearer.js';

/** How the gateway introspects an issuer's opaque tokens (RFC 7662). */
export interface TokenIntrospectionOptions {
  readonly endpoint: string;
  /** The gateway's client identifier at this issuer. */
  readonly clientId: string;
  /** RFC 6749 section 2.3.1. Exclusive with `privateKey`. */
  readonly clientSecret?: string;
  /** RFC 7523 section 2.2, with a key for EdDSA, ES256, PS256 or RS256. Exclusive with `clientSecret`. */
  readonly privateKey?: JWK;
  /**
   * How long a positive response is cached, in milliseconds, never beyond the token's expiry. Default 5,000. A revocation takes
   * effect only after that time, unless a stream announces it.
   */
  readonly cacheMs?: number;
  /** How long a negative response is cached, in milliseconds. Default 1,000. */
  readonly negativeCacheMs?: number;
  /** Default 3,000. */
  readonly timeoutMs?: number;
}

const DEFAULT_CACHE_MS = 5_000;
const DEFAULT_NEGATIVE_CACHE_MS = 1_000;
const DEFAULT_TIMEOUT_MS = 3_000;
const MAX_CACHED = 10_000;
/** Bytes of all cached responses; their parsed form takes a few times as much. */
const MAX_CACHED_CHARACTERS = 16 * 1024 * 1024;
/** Larger than any token's claims. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** Concurrent introspections, so that made-up tokens cannot flood the issuer. */
const MAX_CALLS = 100;
/**
 * Concurrent introspections from one client network, except for recently valid tokens: no network can exhaust the others'
 * share.
 */
const MAX_CALLS_PER_NETWORK = 20;
/** Pause between two questions of `problem`, whoever causes them, and how long an answer counts. Milliseconds. */
const PROBLEM_PAUSE_MS = 5_000;
/** No issuer has issued it: an answer to this question says only that the endpoint answers this gateway. */
const TOKEN_OF_NOBODY = 'behalf-readiness-check';
/** RFC 9110 section 11.1: in any case. Refresh tokens are active as well, but have no such type. */
const ACCESS_TOKEN_TYPES: readonly unknown[] = ['bearer', 'dpop'];

/** An active token; its claims are read like those of a signed one. */
export interface IntrospectedClaims extends Readonly<Record<string, unknown>> {
  readonly exp: number;
  readonly iat: number;
  readonly sub: string;
  readonly jti: string | undefined;
}

interface Expected {
  readonly issuer: string;
  readonly audience: string;
}

/**
 * Introspects tokens that only their issuer can read. Responses are cached briefly by the token's digest, positive and negative
 * ones separately, so that made-up tokens displace no valid ones. Concurrent requests for one token share an introspection.
 */
export class TokenIntrospector {
  readonly #active: LRUCache<string, IntrospectedClaims>;
  readonly #refused: LRUCache<string, string>;
  /** Digests of tokens that were valid at their last introspection. */
  readonly #wereActive = new LRUCache<string, true>({ max: MAX_CACHED });
  readonly #calls = new Map<string, Promise<IntrospectedClaims>>();
  readonly #callsOf = new Map<string, number>();
  /** When the issuer last answered about any token. */
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #problem: { readonly reason: Promise<string | undefined>; readonly atMs: number } | undefined;
  readonly #authentication: Promise<ClientAuth>;
  readonly #expected: Expected;
  readonly #options: TokenIntrospectionOptions;
  readonly #clock: Clock;

  constructor(expected: Expected, options: TokenIntrospectionOptions, clock: Clock = systemClock) {
    this.#expected = expected;
    this.#options = options;
    this.#clock = clock;
    this.#active = new LRUCache({
      max: MAX_CACHED,
      maxSize: MAX_CACHED_CHARACTERS,
      ...cacheTime(clock),
    });
    this.#refused = new LRUCache({
      max: MAX_CACHED,
      ttl: options.negativeCacheMs ?? DEFAULT_NEGATIVE_CACHE_MS,
      ...cacheTime(clock),
    });
    this.#authentication = clientAuthentication(options);
    // The first caller awaits it; this only prevents an unhandled rejection.
    this.#authentication.catch(() => undefined);
  }

  /**
   * @param address the client's, if known; introspections are counted by its network
   * @throws {RefusedError} 401 `INVALID_TOKEN` for a token that is not active, or not for this API; 503
   * `TOKEN_INTROSPECTION_UNAVAILABLE` if the issuer cannot be asked: nothing is permitted on a guess
   */
  async introspect(token: string, address?: string): Promise<IntrospectedClaims> {
    const digest = createHash('sha256').update(token).digest('base64url');
    const known = this.#active.get(digest);
    if (known !== undefined) return known;
    const reason = this.#refused.get(digest);
    if (reason !== undefined) throw invalidToken(reason);
    const underWay = this.#calls.get(digest);
    if (underWay !== undefined) return underWay;
    if (this.#calls.size >= MAX_CALLS) throw unavailable('BUSY');
    const network = address === undefined || this.#wereActive.has(digest) ? undefined : networkOf(address);
    if (network !== undefined) this.#enter(network);
    const call = this.#ask(token, digest).finally(() => {
      this.#calls.delete(digest);
      if (network !== undefined) this.#leave(network);
    });
    this.#calls.set(digest, call);
    return call;
  }

  /**
   * Why no token can be introspected; undefined if the issuer answers. Asks it, after a pause, since anybody can cause it, and
   * unless it has just answered about another token. Never rejects.
   */
  problem(): Promise<string | undefined> {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#answeredAtMs < PROBLEM_PAUSE_MS) return Promise.resolve(undefined);
    if (this.#problem === undefined || nowMs - this.#problem.atMs >= PROBLEM_PAUSE_MS) {
      const reason = this.#call(TOKEN_OF_NOBODY).then(
        () => undefined,
        (error: unknown) => (error instanceof RefusedError ? error.refusal.reason : undefined) ?? 'NETWORK',
      );
      this.#problem = { reason, atMs: nowMs };
    }
    return this.#problem.reason;
  }

  /** @throws {RefusedError} */
  #enter(network: string): void {
    const underWay = this.#callsOf.get(network) ?? 0;
    if (underWay >= MAX_CALLS_PER_NETWORK) throw unavailable('BUSY_NETWORK');
    this.#callsOf.set(network, underWay + 1);
  }

  #leave(network: string): void {
    const left = (this.#callsOf.get(network) ?? 1) - 1;
    if (left === 0) this.#callsOf.delete(network);
    else this.#callsOf.set(network, left);
  }

  async #ask(token: string, digest: string): Promise<IntrospectedClaims> {
    const response = await this.#call(token);
    const reason = refusalOf(response, this.#expected, this.#clock.now() / 1000);
    const claims = reason === undefined ? claimsOf(response) : undefined;
    if (claims === undefined) {
      this.#refused.set(digest, reason ?? 'CLAIM_MISSING');
      this.#wereActive.delete(digest);
      throw invalidToken(reason ?? 'CLAIM_MISSING');
    }
    this.#wereActive.set(digest, true);
    const leftMs = claims.exp * 1_000 - this.#clock.now();
    const cacheMs = Math.floor(Math.min(this.#options.cacheMs ?? DEFAULT_CACHE_MS, leftMs));
    // The cache treats 0 as forever.
    if (cacheMs > 0) this.#active.set(digest, claims, { ttl: cacheMs, size: JSON.stringify(claims).length });
    return claims;
  }

  async #call(token: string): Promise<IntrospectionResponse> {
    const { endpoint, clientId, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const server = { issuer: this.#expected.issuer, introspection_endpoint: endpoint };
    const client = { client_id: clientId };
    try {
      const response = await introspectionRequest(server, client, await this.#authentication, token, {
        additionalParameters: { token_type_hint: 'access_token' },
        signal: AbortSignal.timeout(timeoutMs),
        [customFetch]: boundedFetch(MAX_ANSWER_BYTES),
        // The configuration has refused plain HTTP to another machine.
        [allowInsecureRequests]: endpoint.startsWith('http:'),
      });
      const answer = await processIntrospectionResponse(server, client, response);
      this.#answeredAtMs = this.#clock.monotonic();
      return answer;
    } catch (error) {
      // Whatever the error, it is unknown whether the token is valid. The error's text could quote the token.
      throw unavailable(systemCode(error, 'NETWORK'));
    }
  }
}

/** RFC 7662 section 2.2. Undefined: no objection. */
function refusalOf(
  response: IntrospectionResponse,
  { issuer, audience }: Expected,
  nowSeconds: number,
): string | undefined {
  const { active, iss, aud, exp, nbf, token_type: type }: Record<string, unknown> = response;
  if (active !== true) return 'INACTIVE';
  if (iss !== undefined && iss !== issuer) return 'ISSUER_UNKNOWN';
  const audiences = typeof aud === 'string' ? [aud] : aud;
  // Otherwise a token for any of the issuer's APIs would be accepted here.
  if (!isStringArray(audiences) || !audiences.includes(audience)) return 'AUDIENCE';
  if (typeof type !== 'string' || !ACCESS_TOKEN_TYPES.includes(type.toLowerCase())) return 'TOKEN_TYPE';
  if (typeof exp !== 'number' || exp <= nowSeconds) return 'EXPIRED';
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > nowSeconds)) return 'NOT_YET';
  return undefined;
}

/** A token that names no person stands for its client alone, a service: the weakest interpretation. */
function claimsOf(response: IntrospectionResponse): IntrospectedClaims | undefined {
  const { exp, iat, jti, sub = response.client_id }: Record<string, unknown> = response;
  if (typeof exp !== 'number' || typeof iat !== 'number' || typeof sub !== 'string' || sub === '')
    return undefined;
  if (jti !== undefined && typeof jti !== 'string') return undefined;
  return { ...(response as Record<string, unknown>), exp, iat, sub, jti };
}

async function clientAuthentication({
  clientSecret,
  privateKey,
}: TokenIntrospectionOptions): Promise<ClientAuth> {
  if (clientSecret !== undefined) return ClientSecretBasic(clientSecret);
  const key = await importJWK(privateKey ?? {}, privateKey?.alg);
  if (key instanceof Uint8Array) throw new TypeError('a private key is needed');
  return PrivateKeyJwt(privateKey?.kid === undefined ? key : { key, kid: privateKey.kid });
}

function unavailable(reason: string): RefusedError {
  return new RefusedError({
    code: 'TOKEN_INTROSPECTION_UNAVAILABLE',
    message: 'Tokens cannot be verified at the moment',
    status: 503,
    headers: new Map([['retry-after', '1']]),
    reason,
  });
}
