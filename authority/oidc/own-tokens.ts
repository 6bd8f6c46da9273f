import { isRecord, readActorClaim, readConsentClaim } from '@behalf/directives';
import type { ConsentClaim } from '@behalf/directives';
import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTPayload, jwtVerify } from 'jose';

import type { AccountRegister } from '../accounts/register.js';
import type { ClientDirectory } from '../clients/directory.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import { consentForToken } from '../consent/token.js';
import { readGrantedAccess } from '../details/read.js';
import type { GrantedAccess } from '../details/access.js';
import type { AuthorityKeys } from '../keys/keys.js';
import type { AuthorityDatabase } from '../schema.js';
import { isRevoked } from './revoked.js';
import { isSuspended } from './suspended.js';

/** An access token of this authority, verified. */
export interface OwnToken {
  readonly tokenId: string;
  readonly subject: string;
  /** The client that the consent stands with, or the client itself where there is no person. */
  readonly clientId: string;
  /** Who acts for it, the current actor first (RFC 8693 section 4.1). */
  readonly actors: readonly string[];
  readonly scopes: readonly string[];
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** Absent when no person stands behind it (RFC 6749 section 4.4). */
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
  readonly keys: AuthorityKeys;
  readonly accounts: AccountRegister;
  readonly directory: ClientDirectory;
  readonly suspensions: SuspensionRegister;
}

/** The access tokens of this authority, when they come back to it: at introspection, revocation and token exchange. */
export class OwnTokens {
  readonly #options: OwnTokensOptions;
  readonly #keys: ReturnType<typeof createLocalJWKSet>;

  constructor(options: OwnTokensOptions) {
    this.#options = options;
    this.#keys = createLocalJWKSet(publicHalves(options.keys.jwks.keys));
  }

  /** Verifies what a token says of itself (RFC 8725, RFC 9068 section 4); undefined when it is not one of ours, or over. */
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
   * Whether it counts at this moment: its consent is in force, its clients are registered and not suspended, nothing revoked
   * it.
   */
  async isInForce(token: OwnToken): Promise<boolean> {
    const { accounts, db, directory, suspensions } = this.#options;
    const holders = [token.clientId, ...token.actors];
    const registered = await Promise.all(holders.map((clientId) => directory.find(clientId)));
    if (registered.includes(undefined)) return false;
    if (await isSuspended(suspensions, holders)) return false;
    if (token.consent !== undefined) {
      const { clientId, issuedAtSeconds, subject } = token;
      const sessionId = token.payload['sid'];
      const source = {
        consentId: token.consent.id,
        subject,
        clientId,
        issuedAtSeconds,
        sessionId: typeof sessionId === 'string' ? sessionId : undefined,
      };
      if ((await consentForToken(db, source)) === undefined) return false;
      if ((await accounts.find(subject)) === undefined) return false;
    } else if (token.subject !== token.clientId) {
      return false;
    }
    return !(await isRevoked(db, token));
  }
}

/** Everything of a private JWK that may be known. */
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
    sub,
  } = payload;
  if (typeof clientId !== 'string' || sub === undefined || jti === undefined) return undefined;
  if (exp === undefined || iat === undefined) return undefined;
  if (scope !== undefined && typeof scope !== 'string') return undefined;
  const actors = act === undefined ? [] : actorsOf(act);
  if (actors === undefined) return undefined;
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
