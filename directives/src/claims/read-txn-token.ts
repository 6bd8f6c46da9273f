import { createLocalJWKSet, errors, jwtVerify } from 'jose';
import type { JWK, JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import type { Delegation } from './delegation.js';
import { gatewayKeys } from './gateway-keys.js';
import type { GatewayKeys } from './gateway-keys.js';
import { isRecord } from '../is-record.js';
import { isStringArray, readActorClaim, readConsentClaim, readDetailClaim } from './read-claims.js';
import { isServiceSubject } from './service.js';
import type { TxnTokenRefusal } from './txn-token-refusals.js';
import { TXN_TOKEN_ALGORITHM, TXN_TOKEN_TYPE } from './txn-token.js';
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { withoutUndefined } from '../without-undefined.js';

/** The address of the gateway's keys. */
export type GatewayTrust = {
  /** `iss` of the transaction tokens. */
  readonly issuer: string;
  /**
   * Accepts `http:` addresses of the gateway outside of this machine, for `jwksUri` and `passOn`. Whoever can change what passes
   * between them can then forge every token: only for a network that you trust.
   */
  readonly allowInsecureGateway?: boolean | undefined;
} & (
  | { readonly jwksUri: string; readonly keys?: undefined }
  | { readonly keys: readonly JWK[]; readonly jwksUri?: undefined }
);

/** The content of a transaction token that has passed every check of {@link createTxnTokenVerifier}. */
export interface VerifiedTxnToken {
  readonly delegation: Delegation;
  readonly transactionId: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** The workloads that passed the token on, the gateway first. */
  readonly requestingWorkloads: readonly string[];
  /** `jti` of a bound token. */
  readonly tokenId?: string;
  /** Hash of the one request that the token is for, see `graphqlRequestHash`; absent for an unbound token. */
  readonly boundTo?: string;
}

/** The answer of {@link createTxnTokenVerifier}: the verified token, or the code of the reason why there is none. */
export type TxnTokenVerification =
  | { readonly verified: VerifiedTxnToken; readonly refusal?: never }
  | { readonly verified?: never; readonly refusal: TxnTokenRefusal };

/** Tolerance between the clocks of gateway and subgraph. */
export const TXN_TOKEN_CLOCK_TOLERANCE_SECONDS = 5;
/** A transaction token lives for seconds; no conforming gateway mints one with a longer lifetime. */
const MAX_LIFETIME_SECONDS = 60;
const MAX_TOKEN_LENGTH = 8_192;
/** Each costs a verification, and anybody who reaches the subgraph can send a token that no key has signed. */
const MAX_CANDIDATES = 16;

/**
 * Creates the reader of one audience's tokens (draft-ietf-oauth-transaction-tokens section 8, RFC 8725). It checks the
 * signature by one of the gateway's keys, algorithm, type, issuer, audience, expiry, lifetime, and the shape of every claim
 * that decisions use. It does **not** check whether a bound token belongs to this request, see `createTxnTokenVerifier`.
 *
 * @param clock default: the machine's
 */
export function createTxnTokenReader(
  audience: string,
  trust: GatewayTrust,
  clock: Clock = systemClock,
): (header: string | readonly string[] | undefined) => Promise<TxnTokenVerification> {
  const keys: GatewayKeys =
    trust.keys !== undefined
      ? { find: createLocalJWKSet({ keys: [...trust.keys] }), version: 0, refetch: async () => false }
      : gatewayKeys(trust.jwksUri, clock);

  return async (header) => {
    if (header === undefined || header === '') return { refusal: 'TXN_TOKEN_MISSING' };
    if (typeof header !== 'string') return { refusal: 'TXN_TOKEN_REPEATED' };
    if (header.length > MAX_TOKEN_LENGTH) return { refusal: 'TXN_TOKEN_TOO_LARGE' };
    let payload: JWTPayload;
    try {
      payload = await verifyByKeys(header, keys, {
        issuer: trust.issuer,
        audience,
        typ: TXN_TOKEN_TYPE,
        algorithms: [TXN_TOKEN_ALGORITHM],
        clockTolerance: TXN_TOKEN_CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(clock.now()),
        requiredClaims: ['iat', 'exp', 'txn', 'sub', 'scope', 'tctx', 'rctx'],
      });
    } catch (error) {
      return { refusal: refusalOf(error) };
    }
    // An audience list would make one subgraph's token valid at another.
    if (typeof payload.aud !== 'string') return { refusal: 'TXN_TOKEN_AUDIENCE' };
    if ((payload.exp ?? Infinity) - (payload.iat ?? 0) > MAX_LIFETIME_SECONDS)
      return { refusal: 'TXN_TOKEN_CLAIM' };
    const verified = readClaims(payload);
    return verified === undefined ? { refusal: 'TXN_TOKEN_CLAIM' } : { verified };
  };
}

/**
 * If no known key has signed the token, its key may be a new one, also under a name that another key has.
 *
 * @throws {errors.JOSEError}
 */
async function verifyByKeys(
  token: string,
  keys: GatewayKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  const known = keys.version;
  try {
    return await verifyByAny(token, keys.find, options);
  } catch (error) {
    const isUnknown = error instanceof errors.JWSSignatureVerificationFailed;
    if (!isUnknown || !(await keys.refetch(known))) throw error;
    return verifyByAny(token, keys.find, options);
  }
}

/**
 * If several keys can have signed the token, as during a rotation of keys without names, each is tried (RFC 7515 appendix D).
 *
 * @throws {errors.JOSEError}
 */
async function verifyByAny(
  token: string,
  keys: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let tried = 0;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (failure) {
        // Whatever else is wrong is wrong with every key.
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
      tried += 1;
      if (tried === MAX_CANDIDATES) break;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** The claims that do not fit if subgraph and gateway are configured differently. */
const REFUSALS_BY_CLAIM: ReadonlyMap<string, TxnTokenRefusal> = new Map([
  ['iss', 'TXN_TOKEN_ISSUER'],
  ['aud', 'TXN_TOKEN_AUDIENCE'],
]);

function refusalOf(error: unknown): TxnTokenRefusal {
  if (error instanceof errors.JWTExpired) return 'TXN_TOKEN_EXPIRED';
  if (error instanceof errors.JWTClaimValidationFailed)
    return REFUSALS_BY_CLAIM.get(error.claim) ?? 'TXN_TOKEN_CLAIM';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed)
    return 'TXN_TOKEN_SIGNATURE';
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid)
    return 'TXN_TOKEN_KEYS_UNAVAILABLE';
  if (error instanceof errors.JOSEError) {
    // jose reports a response of the key endpoint that is not JSON, or has another status, as a plain JOSEError.
    return error.code === 'ERR_JOSE_GENERIC' ? 'TXN_TOKEN_KEYS_UNAVAILABLE' : 'TXN_TOKEN_INVALID';
  }
  return 'TXN_TOKEN_KEYS_UNAVAILABLE';
}

function readClaims(payload: JWTPayload): VerifiedTxnToken | undefined {
  const { sub, scope, txn, tctx, rctx, exp, bind } = payload;
  // jose's types promise a string, but nothing was checked.
  const { jti }: { jti?: unknown } = payload;
  if (typeof sub !== 'string' || sub === '' || typeof scope !== 'string' || typeof txn !== 'string')
    return undefined;
  if (!isRecord(tctx) || !isRecord(rctx) || exp === undefined) return undefined;
  const { client_id: clientId, act } = rctx;
  if (typeof clientId !== 'string' || clientId === '') return undefined;
  const { policies = [], roles = [] } = tctx;
  if (!isStringArray(policies) || !isStringArray(roles)) return undefined;
  const consent = tctx.consent === undefined ? undefined : readConsentClaim(tctx.consent);
  if (tctx.consent !== undefined && consent === undefined) return undefined;
  // A token whose limits cannot be read is refused, never read without them.
  const detail = tctx.detail === undefined ? undefined : readDetailClaim(tctx.detail);
  if (tctx.detail !== undefined && detail === undefined) return undefined;
  const actor = act === undefined ? undefined : readActorClaim(act);
  if (act !== undefined && actor === undefined) return undefined;
  const { service } = tctx;
  if (service !== undefined && service !== true) return undefined;
  // A person cannot pass for a service, nor a service for a person; and nobody consents to a service's actions.
  if ((service === true) !== isServiceSubject(sub)) return undefined;
  if (service === true && consent !== undefined) return undefined;
  const boundTo = bind === undefined ? undefined : isRecord(bind) ? (bind.body ?? null) : null;
  if (boundTo !== undefined && typeof boundTo !== 'string') return undefined;
  if (jti !== undefined && (typeof jti !== 'string' || jti === '')) return undefined;
  // A bound token is valid once, and without an identifier its use cannot be remembered.
  if (boundTo !== undefined && jti === undefined) return undefined;
  // Gateways that name only themselves may omit the claim.
  const { req_wl: workloads = payload.iss } = payload;
  if (typeof workloads !== 'string') return undefined;
  return withoutUndefined({
    transactionId: txn,
    expiresAt: exp,
    requestingWorkloads: workloads.split(','),
    tokenId: jti,
    boundTo,
    delegation: withoutUndefined({
      subject: sub,
      service: service === true ? true : undefined,
      clientId,
      scopes: new Set(scope.split(' ').filter((token) => token !== '')),
      policies: new Set(policies),
      roles,
      consent,
      detail,
      actor,
    }),
  });
}
