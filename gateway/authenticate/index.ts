import type { Clock } from '@behalf/directives';
import { isStringArray } from '@behalf/directives/internal';
import type { RevocationView, VerificationKey } from '@behalf/revocation/internal';
import { LRUCache } from 'lru-cache';
import { RefusedError } from '../errors.js';
import type { IncomingRequest } from '../request/incoming-request.js';
import { invalidToken, presentedToken, tokenRequired } from './bearer.js';
import type { PresentedToken } from './bearer.js';
import { readConfirmation } from './confirmation.js';
import { readDelegation } from './delegation.js';
import type { Issuers, VerifiedAccessToken } from './issuers.js';
import { refuseLongLived } from './lifetime.js';
import { namedClient } from './named-client.js';
import type { SenderConstraint } from './sender-constraint.js';
import type { AuthenticatedToken } from './token.js';

/** The identified sender of a request. */
export interface Authentication {
  readonly token: AuthenticatedToken;
  /** For the response's `DPoP-Nonce` (RFC 9449 section 8.2), if the client should switch to it. */
  readonly nextNonce: string | undefined;
}

export interface AuthenticatorOptions {
  readonly issuers: Issuers;
  /** `refuse`: anonymous callers are not served. */
  readonly anonymous: 'allow' | 'refuse';
  /** Absent if no issuer announces revocations. */
  readonly revocation: RevocationView | undefined;
  readonly senderConstraint: SenderConstraint;
  readonly clock: Clock;
  /** How long an issuer's tokens may live. */
  readonly maxTokenLifetimeSeconds: (issuer: string) => number;
  /** Verified tokens in the cache. Default 10,000. */
  readonly cachedTokens?: number;
}

/** A verification, which ends with the key that made it. */
interface Verified {
  readonly token: AuthenticatedToken;
  readonly key: VerificationKey | undefined;
}

/** Bytes of the tokens in the cache; their parsed form takes a few times as much. */
const CACHED_CHARACTERS = 16 * 1024 * 1024;

/** Step 1 of the pipeline: from credentials to a delegation. */
export class Authenticator {
  readonly #verified: LRUCache<string, Verified>;
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#verified = new LRUCache({ max: options.cachedTokens ?? 10_000, maxSize: CACHED_CHARACTERS });
  }

  /**
   * Verifies the request's token once. The verification is cached by the token's digest; its key, expiry, revocation and sender
   * constraint are checked on every request.
   *
   * @returns undefined for a request without credentials, if that is allowed
   * @throws {RefusedError} for invalid credentials, which never count as absent
   */
  async authenticate(incoming: IncomingRequest): Promise<Authentication | undefined> {
    const presented = presentedToken(incoming.authorization);
    if (presented === undefined) {
      if (this.#options.anonymous === 'allow') return undefined;
      throw tokenRequired();
    }
    const token =
      (await this.#remembered(presented.digest)) ??
      (await this.#verifyOnce(presented, incoming.remoteAddress));
    return naming(token.delegation.clientId, async () => {
      this.#refuseWhatEnded(token);
      const nextNonce = await this.#options.senderConstraint.check(token, presented, incoming);
      return { token, nextNonce };
    });
  }

  /** A cached verification, unless the issuer has withdrawn or changed its key. @throws {RefusedError} */
  async #remembered(digest: string): Promise<AuthenticatedToken | undefined> {
    const known = this.#verified.get(digest);
    if (known?.key === undefined) return undefined;
    if (await this.#options.issuers.believes(known.token.issuer, known.key)) return known.token;
    this.#verified.delete(digest);
    return undefined;
  }

  async #verifyOnce(
    { digest, token }: PresentedToken,
    address: string | undefined,
  ): Promise<AuthenticatedToken> {
    const verified = await this.#verify(token, address);
    // The issuer's introspection response was cached briefly elsewhere.
    if (verified.key !== undefined) this.#verified.set(digest, verified, { size: token.length });
    return verified.token;
  }

  async #verify(presented: string, address: string | undefined): Promise<Verified> {
    const verified = await this.#options.issuers.verify(presented, address);
    return naming(namedClient(verified), async () => this.#read(verified));
  }

  #read(verified: VerifiedAccessToken): Verified {
    const { issuer, payload, key } = verified;
    // Also for opaque tokens: an issuer can be wrong about them, or be asked about a made-up token.
    refuseLongLived(payload, this.#options.maxTokenLifetimeSeconds(issuer.issuer), this.#options.clock);
    const token = {
      ...readDelegation(verified),
      issuer: issuer.issuer,
      isIntrospected: verified.isIntrospected,
      tokenId: payload.jti,
      exchangedFrom: readExchangedFrom(payload['exchanged_from']),
      issuedAt: payload.iat,
      expiresAt: payload.exp,
      keyId: verified.keyId,
      sessionId: optionalString(payload.sid, 'SESSION_MALFORMED'),
      acr: optionalString(payload.acr, 'ACR_MALFORMED'),
      authTime: optionalSeconds(payload.auth_time, 'AUTH_TIME_MALFORMED'),
      confirmation: readConfirmation(payload.cnf),
    };
    return { token, key };
  }

  #refuseWhatEnded(token: AuthenticatedToken): void {
    const nowSeconds = this.#options.clock.now() / 1000;
    if (token.expiresAt <= nowSeconds) throw invalidToken('EXPIRED');
    const until = token.delegation.consent?.until;
    if (until !== undefined && until <= nowSeconds) throw invalidToken('CONSENT_ENDED');
    const { revocation } = this.#options;
    if (revocation === undefined) return;
    if (!revocation.isFresh(token.issuer)) {
      throw new RefusedError({
        code: 'REVOCATION_STATE_STALE',
        message: 'It is not known at the moment what was revoked',
        status: 503,
        headers: new Map([['retry-after', '1']]),
      });
    }
    if (revocation.isRevoked(token)) throw invalidToken('REVOKED');
  }
}

/** Adds to a refusal the client that a valid signature named. */
async function naming<Result>(client: string | undefined, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RefusedError) error.namedClient ??= client;
    throw error;
  }
}

/** As many as there can be actors. Each is looked up on every request. */
const EXCHANGED_FROM_AT_MOST = 8;

/** @throws {RefusedError} */
function readExchangedFrom(value: unknown): readonly string[] | undefined {
  if (value === undefined || (isStringArray(value) && value.length <= EXCHANGED_FROM_AT_MOST)) return value;
  throw invalidToken('EXCHANGED_FROM_MALFORMED');
}

/** An unreadable claim refuses the token. @throws {RefusedError} */
function optionalString(value: unknown, reason: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw invalidToken(reason);
}

/** @throws {RefusedError} */
function optionalSeconds(value: unknown, reason: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw invalidToken(reason);
}
