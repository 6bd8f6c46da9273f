import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWK, JWTPayload, JWTVerifyGetKey } from 'jose';
import type { ErrorDescription } from '../errors.js';
import type { Delegation } from './delegation.js';
import { isRecord, isStringArray, readActorClaim, readConsentClaim } from './read-claims.js';
import { TXN_TOKEN_ALGORITHM, TXN_TOKEN_TYPE } from './txn-token.js';

/** Where the gateway's keys are. */
export type GatewayTrust = {
  /** `iss` of the transaction tokens. */
  readonly issuer: string;
} & ({ readonly jwksUri: string } | { readonly keys: readonly JWK[] });

/** Why a transaction token was not accepted: for the log of the subgraph, never for the caller. */
export const txnTokenRefusals = Object.freeze({
  TXN_TOKEN_MISSING: { description: 'The request has none.', since: '0.1.0' },
  TXN_TOKEN_REPEATED: { description: 'The request has several.', since: '0.1.0' },
  TXN_TOKEN_TOO_LARGE: { description: 'It is longer than a transaction token can be.', since: '0.1.0' },
  TXN_TOKEN_EXPIRED: { description: 'Its seconds are over.', since: '0.1.0' },
  TXN_TOKEN_CLAIM: {
    description: 'A claim is missing, malformed, or made for another subgraph.',
    since: '0.1.0',
  },
  TXN_TOKEN_KEYS_UNAVAILABLE: { description: "The gateway's keys cannot be had.", since: '0.1.0' },
  TXN_TOKEN_INVALID: { description: 'Its signature, algorithm or form does not hold.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

export type TxnTokenRefusal = keyof typeof txnTokenRefusals;

export interface VerifiedTxnToken {
  readonly delegation: Delegation;
  readonly transactionId: string;
}

export type TxnTokenVerification =
  | { readonly verified: VerifiedTxnToken; readonly refusal?: never }
  | { readonly verified?: never; readonly refusal: TxnTokenRefusal };

/** Clocks of gateway and subgraph may differ by this much. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** A transaction token lives for seconds; one that claims more was not minted by a gateway that follows the rules. */
const MAX_LIFETIME_SECONDS = 60;
const MAX_TOKEN_LENGTH = 8_192;

/**
 * Makes the verifier of one subgraph (draft-ietf-oauth-transaction-tokens section 8, RFC 8725).
 *
 * Checked: signature by one of the gateway's keys, algorithm, type, issuer, audience (this subgraph's name),
 * expiry, life span, and the shape of every claim that decisions use. Not checked: whether the token was used
 * before; it is good for its few seconds.
 */
export function createTxnTokenVerifier(
  audience: string,
  trust: GatewayTrust,
): (header: string | readonly string[] | undefined) => Promise<TxnTokenVerification> {
  const keys: JWTVerifyGetKey =
    'keys' in trust
      ? createLocalJWKSet({ keys: [...trust.keys] })
      : createRemoteJWKSet(new URL(trust.jwksUri), { cooldownDuration: 1_000, timeoutDuration: 3_000 });

  return async (header) => {
    if (header === undefined || header === '') return { refusal: 'TXN_TOKEN_MISSING' };
    if (typeof header !== 'string') return { refusal: 'TXN_TOKEN_REPEATED' };
    if (header.length > MAX_TOKEN_LENGTH) return { refusal: 'TXN_TOKEN_TOO_LARGE' };
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(header, keys, {
        issuer: trust.issuer,
        audience,
        typ: TXN_TOKEN_TYPE,
        algorithms: [TXN_TOKEN_ALGORITHM],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['iat', 'exp', 'txn', 'sub', 'scope', 'tctx', 'rctx'],
      }));
    } catch (error) {
      return { refusal: refusalOf(error) };
    }
    // An audience list would make one subgraph's token good at another.
    if (typeof payload.aud !== 'string') return { refusal: 'TXN_TOKEN_CLAIM' };
    if ((payload.exp ?? Infinity) - (payload.iat ?? 0) > MAX_LIFETIME_SECONDS)
      return { refusal: 'TXN_TOKEN_CLAIM' };
    const verified = readClaims(payload);
    return verified === undefined ? { refusal: 'TXN_TOKEN_CLAIM' } : { verified };
  };
}

function refusalOf(error: unknown): TxnTokenRefusal {
  if (error instanceof errors.JWTExpired) return 'TXN_TOKEN_EXPIRED';
  if (error instanceof errors.JWTClaimValidationFailed) return 'TXN_TOKEN_CLAIM';
  if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)) {
    // jose reports an answer of the key endpoint that is no key set as a plain JOSEError.
    return error.code === 'ERR_JOSE_GENERIC' ? 'TXN_TOKEN_KEYS_UNAVAILABLE' : 'TXN_TOKEN_INVALID';
  }
  return 'TXN_TOKEN_KEYS_UNAVAILABLE';
}

function readClaims(payload: JWTPayload): VerifiedTxnToken | undefined {
  const { sub, scope, txn, tctx, rctx } = payload;
  if (typeof sub !== 'string' || sub === '' || typeof scope !== 'string' || typeof txn !== 'string')
    return undefined;
  if (!isRecord(tctx) || !isRecord(rctx)) return undefined;
  const { client_id: clientId, act } = rctx;
  if (typeof clientId !== 'string' || clientId === '') return undefined;
  const policies = tctx.policies ?? [];
  const roles = tctx.roles ?? [];
  if (!isStringArray(policies) || !isStringArray(roles)) return undefined;
  const consent = tctx.consent === undefined ? undefined : readConsentClaim(tctx.consent);
  if (tctx.consent !== undefined && consent === undefined) return undefined;
  const actor = act === undefined ? undefined : readActorClaim(act);
  if (act !== undefined && actor === undefined) return undefined;
  return {
    transactionId: txn,
    delegation: {
      subject: sub,
      clientId,
      scopes: new Set(scope.split(' ').filter((token) => token !== '')),
      policies: new Set(policies),
      roles,
      ...(consent === undefined ? {} : { consent }),
      ...(actor === undefined ? {} : { actor }),
    },
  };
}
