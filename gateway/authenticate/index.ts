import { isStringArray } from '@behalf/directives';
import type { Delegation } from '@behalf/directives';
import { LRUCache } from 'lru-cache';
import type { StepUp } from '../../policy/index.js';
import { RefusedError } from '../errors.js';
import type { Incoming } from '../exchange.js';
import type { RevocationView } from '../revocation/view.js';
import { invalidToken, presentedToken, tokenRequired } from './bearer.js';
import { readConfirmation } from './confirmation.js';
import type { Confirmation } from './confirmation.js';
import { readDelegation } from './delegation.js';
import type { Issuers } from './issuers.js';
import type { SenderConstraint } from './sender-constraint.js';

/** What is kept of a verified token. Never the token. */
export interface AuthenticatedToken {
  readonly delegation: Delegation;
  /** By the issuer's own names, in which it announces what it revokes. Absent where they are the delegation's. */
  readonly asIssued?: Delegation;
  readonly issuer: string;
  /** The issuer was asked about it (RFC 7662). */
  readonly isIntrospected?: true | undefined;
  /** `jti`, where the issuer gives one. */
  readonly tokenId: string | undefined;
  /** `exchanged_from`: `jti` of each token that it came from by exchange (RFC 8693). It ends with any of them. */
  readonly exchangedFrom?: readonly string[] | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** `kid` of the key that signed it, so that everything a leaked key signed can be ended. */
  readonly keyId?: string | undefined;
  /** `sid`: the person's session at the issuer (OpenID Connect Front-Channel Logout 1.0 section 3). */
  readonly sessionId?: string | undefined;
  /** How and when the person signed in (RFC 9470 section 6). */
  readonly acr?: string | undefined;
  /** Seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** Scopes that it was granted and that do not count before the person has signed in so; not in `delegation`. */
  readonly withheld?: ReadonlyMap<string, StepUp>;
  /**
   * What its sender must show beside it; undefined for a token that whoever holds it may use. Never left out: who makes one of
   * these has looked.
   */
  readonly confirmation: Confirmation | undefined;
}

/** What a request was found to be from. */
export interface Authenticated {
  readonly token: AuthenticatedToken;
  /** For the answer's `DPoP-Nonce` (RFC 9449 section 8.2), when the client is to change to it. */
  readonly nextNonce: string | undefined;
}

export interface AuthenticatorOptions {
  readonly issuers: Issuers;
  /** `refuse`: nobody is served without a token. */
  readonly anonymous: 'allow' | 'refuse';
  /** Absent when no issuer announces revocations. */
  readonly revocation: RevocationView | undefined;
  readonly senderConstraint: SenderConstraint;
  /** Verified tokens that are kept. Default 10,000. */
  readonly cachedTokens?: number;
}

/** Step 1 of the pipeline: from credentials to a delegation. */
export class Authenticator {
  private readonly verified: LRUCache<string, AuthenticatedToken>;

  constructor(private readonly options: AuthenticatorOptions) {
    this.verified = new LRUCache({ max: options.cachedTokens ?? 10_000 });
  }

  /**
   * Verifies the request's token once. The verification is remembered by the token's digest until it expires; expiry,
   * revocation and what the token is bound to are looked at on every request.
   *
   * @returns undefined for a request without credentials, where that is allowed.
   * @throws {RefusedError} for credentials that are there and not valid: they are never taken for absent.
   */
  async authenticate(incoming: Incoming): Promise<Authenticated | undefined> {
    const presented = presentedToken(incoming.authorization);
    if (presented === undefined) {
      if (this.options.anonymous === 'allow') return undefined;
      throw tokenRequired();
    }
    let token = this.verified.get(presented.digest);
    if (token === undefined) {
      token = await this.verify(presented.token, incoming.remoteAddress);
      // What an issuer says of an opaque token is kept where it was asked, for a moment.
      if (token.isIntrospected !== true) this.verified.set(presented.digest, token);
    }
    this.refuseWhatEnded(token);
    const nextNonce = await this.options.senderConstraint.check(token, presented, incoming);
    return { token, nextNonce };
  }

  private async verify(token: string, address: string | undefined): Promise<AuthenticatedToken> {
    const verified = await this.options.issuers.verify(token, address);
    const { payload } = verified;
    const { revocation } = this.options;
    // Revocations are forgotten once no token that they match can be alive: one that lives longer would come back to life.
    if (revocation !== undefined && payload.exp - payload.iat > revocation.maxTokenLifetimeSeconds) {
      throw invalidToken('LIFETIME');
    }
    return {
      ...readDelegation(verified),
      issuer: verified.issuer.issuer,
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
  }

  private refuseWhatEnded(token: AuthenticatedToken): void {
    const nowSeconds = Date.now() / 1000;
    if (token.expiresAt <= nowSeconds) throw invalidToken('EXPIRED');
    const until = token.delegation.consent?.until;
    if (until !== undefined && until <= nowSeconds) throw invalidToken('CONSENT_ENDED');
    const { revocation } = this.options;
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

/** As many as there can be actors. Each is looked up on every request. */
const EXCHANGED_FROM_AT_MOST = 8;

/** @throws {RefusedError} */
function readExchangedFrom(value: unknown): readonly string[] | undefined {
  if (value === undefined || (isStringArray(value) && value.length <= EXCHANGED_FROM_AT_MOST)) return value;
  throw invalidToken('EXCHANGED_FROM_MALFORMED');
}

/** A claim that is there and cannot be read refuses the token. @throws {RefusedError} */
function optionalString(value: unknown, reason: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw invalidToken(reason);
}

/** @throws {RefusedError} */
function optionalSeconds(value: unknown, reason: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw invalidToken(reason);
}
