import { isRecord, isStringArray, readActorClaim, readConsentClaim } from '@behalf/directives/internal';
import type { ConsentClaim } from '@behalf/directives';
import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTPayload, jwtVerify } from 'jose';

import type { AccountRegister } from '../accounts/register.js';
import type { FindClient } from '../clients/find.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import { consentForToken } from '../consent/token.js';
import { readGrantedAccess } from '../details/read.js';
import type { GrantedAccess } from '../details/access.js';
import type { KeysNow } from '../keys/ring.js';
import type { AuthorityDatabase } from '../schema.js';
import { MAX_EXCHANGE_DEPTH } from './lifetimes.js';
import { isRevoked } from './revoked.js';
import { isSuspended } from './suspended.js';

/** Claim of an exchanged token: the `jti` of each token that it came from. See docs/decisions/0035. */
export const EXCHANGED_FROM = 'exchanged_from';

/** An access token of this authority, verified. */
export interface OwnToken {
  readonly tokenId: string;
  readonly subject: string;
  /** The client of the consent, or the client itself if there is no person. */
  readonly clientId: string;
  /** The actors, the current one first (RFC 8693 section 4.1). */
  readonly actors: readonly string[];
  readonly scopes: readonly string[];
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** Absent if no person is involved (RFC 6749 section 4.4). */
  readonly consent: (ConsentClaim & { readonly until: number }) | undefined;
  readonly access: GrantedAccess | undefined;
  /** RFC 9449 section 6.1, RFC 8705 section 3.1. */
  readonly isSenderConstrained: boolean;
  readonly payload: Readonly<JWTPayload>;
}

/** @see OwnTokens */
export interface OwnTokensOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly db: AuthorityDatabase;
  /** The published keys. A token signed by any other key is not ours. */
  readonly jwks: KeysNow['jwks'];
  readonly accounts: AccountRegister;
  readonly findClient: FindClient;
  readonly suspensions: SuspensionRegister;
}

/** Reads this authority's own access tokens, for introspection, revocation and token exchange. */
export class OwnTokens {
  readonly #options: OwnTokensOptions;
  readonly #keys: ReturnType<typeof createLocalJWKSet>;

  constructor(options: OwnTokensOptions) {
    this.#options = options;
    this.#keys = createLocalJWKSet(publicHalves(options.jwks.keys));
  }

  /** Verifies a token (RFC 8725, RFC 9068 section 4); undefined if it is not ours, or expired. */
  async verify(token: string): Promise<OwnToken | undefined> {
    const { audience, issuer } = this.#options;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        typ: 'at+jwt',
        algorithms: ['ES256'],
        requiredClaims: ['sub', 'client_id', 'jti', 'iat', 'exp'],
      });
      return read(payload);
    } catch {
      return undefined;
    }
  }

  /**
   * Whether the token is active now: its consent is in force, its clients are registered and not suspended, and it is not revoked.
   */
  async isInForce(token: OwnToken): Promise<boolean> {
    const { accounts, db, findClient, suspensions } = this.#options;
    const holders = [token.clientId, ...token.actors];
    for (const holder of holders) if ((await findClient(holder)) === undefined) return false;
    if (await isSuspended(suspensions, holders)) return false;
    if (token.consent !== undefined) {
      const { clientId, issuedAtSeconds, subject } = token;
      const sessionId = sessionIdOf(token);
      const source = { consentId: token.consent.id, subject, clientId, issuedAtSeconds, sessionId };
      if ((await consentForToken(db, source)) === undefined) return false;
      if ((await accounts.find(subject)) === undefined) return false;
    } else if (token.subject !== token.clientId) {
      return false;
    }
    return !(await isRevoked(db, token));
  }
}

/** `sid`: the sign-in that it depends on. */
export function sessionIdOf({ payload: { sid } }: Pick<OwnToken, 'payload'>): string | undefined {
  return typeof sid === 'string' ? sid : undefined;
}

/** `jti` of each token that it was exchanged from, the nearest first. It ends with any of them. */
export function exchangedFromOf({ payload }: Pick<OwnToken, 'payload'>): readonly string[] {
  const claim = payload[EXCHANGED_FROM];
  return isExchangedFrom(claim) ? claim : [];
}

function isExchangedFrom(claim: unknown): claim is readonly string[] {
  return isStringArray(claim) && claim.length <= MAX_EXCHANGE_DEPTH;
}

/** The public part of a private JWK. */
function publicHalves(keys: readonly JWK[]): JSONWebKeySet {
  return {
    keys: keys.map(({ kty, crv, x, y, kid, alg, use }) => {
      const key: JWK = { kty: kty ?? '' };
      return Object.assign(key, { crv, x, y, kid, alg, use });
    }),
  };
}

function read(payload: JWTPayload): OwnToken | undefined {
  const {
    act,
    authorization_details: details,
    client_id: clientId,
    cnf,
    exp,
    iat,
    jti,
    scope,
    sid,
    sub,
    [EXCHANGED_FROM]: exchangedFrom = [],
  } = payload;
  if (typeof clientId !== 'string' || sub === undefined || jti === undefined) return undefined;
  if (exp === undefined || iat === undefined) return undefined;
  if (scope !== undefined && typeof scope !== 'string') return undefined;
  const actors = act === undefined ? [] : actorsOf(act);
  if (actors === undefined) return undefined;
  if (sid !== undefined && typeof sid !== 'string') return undefined;
  if (!isExchangedFrom(exchangedFrom)) return undefined;
  const claim = payload['consent'] === undefined ? undefined : readConsentClaim(payload['consent']);
  if (payload['consent'] !== undefined && claim?.until === undefined) return undefined;
  return {
    tokenId: jti,
    subject: sub,
    clientId,
    actors,
    scopes: (scope ?? '').split(' ').filter((name) => name !== ''),
    issuedAtSeconds: iat,
    expiresAtSeconds: exp,
    consent: claim?.until === undefined ? undefined : { ...claim, until: claim.until },
    access: readGrantedAccess(details),
    isSenderConstrained: isRecord(cnf) && Object.keys(cnf).length > 0,
    payload,
  };
}

function actorsOf(claim: unknown): readonly string[] | undefined {
  const outermost = readActorClaim(claim);
  if (outermost === undefined) return undefined;
  const actors: string[] = [];
  for (let actor: typeof outermost | undefined = outermost; actor !== undefined; actor = actor.act) {
    actors.push(actor.sub);
  }
  return actors;
}
