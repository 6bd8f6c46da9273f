import { createLocalJWKSet, type JSONWebKeySet, type JWK, jwtVerify } from 'jose';

import type { AccountRegister } from '../accounts/register.js';
import type { FindClient } from '../clients/find.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import { consentForToken } from '../consent/token.js';
import type { KeysNow } from '../keys/ring.js';
import type { AuthorityDatabase } from '../schema.js';
import { type OwnToken, readOwnToken, sessionIdOf } from './own-token.js';
import { isRevoked } from './revoked.js';
import { isSuspended } from './suspended.js';

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
      return readOwnToken(payload);
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

/** The public part of a private JWK. */
function publicHalves(keys: readonly JWK[]): JSONWebKeySet {
  return {
    keys: keys.map(({ kty, crv, x, y, kid, alg, use }) => {
      const key: JWK = { kty: kty ?? '' };
      return Object.assign(key, { crv, x, y, kid, alg, use });
    }),
  };
}
