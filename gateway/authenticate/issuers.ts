import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { KeysUnavailableError, RemoteKeys } from '@behalf/revocation/internal';
import type { VerificationKey, VerifiedByKey } from '@behalf/revocation/internal';
import { errors } from 'jose';
import type { JWTPayload } from 'jose';
import { anyOf } from '../any-of.js';
import { ConfigurationError, RefusedError } from '../errors.js';
import { invalidToken } from './bearer.js';
import type { ClaimMapping, ClaimPath, ClaimTest } from './claims.js';
import { KeySetDiscovery } from './discovery.js';
import { TokenIntrospector } from './token-introspection.js';
import type { TokenIntrospectionOptions } from './token-introspection.js';
import { CLOCK_TOLERANCE_SECONDS } from './lifetime.js';
import { namedClient } from './named-client.js';
import { Namespaces } from './namespaces.js';
import { isCompactJws, isOpaque, tokenType, unverifiedIssuer } from './token-form.js';

/** One trusted issuer of access tokens. */
export interface IssuerOptions {
  /** Exactly as in the tokens' `iss`. */
  readonly issuer: string;
  /** The token's `aud` must contain it. */
  readonly audience: string;
  /** Default: `jwks_uri` of the issuer's metadata (RFC 8414, or OpenID Connect Discovery). */
  readonly jwksUri?: string;
  /** Default EdDSA, ES256, PS256, RS256. Symmetric algorithms and `none` are never accepted. */
  readonly algorithms?: readonly string[];
  /** Values of `typ`, in any case. Default: `at+jwt` (RFC 9068 section 2.1). */
  readonly tokenTypes?: readonly string[];
  /** The places of the claims that decisions need. */
  readonly claims?: ClaimNames;
  /**
   * Put, with a colon, before the issuer's subjects, clients, actors and consents. Only one issuer may have none, because the
   * same `sub` of two issuers is two people.
   */
  readonly namespace?: string;
  /**
   * Introspects tokens that are not a JWS. At most one issuer may have it: an opaque token does not name its issuer, and asking
   * several would show each the others' tokens.
   */
  readonly introspection?: TokenIntrospectionOptions;
  /**
   * A token with a longer lifetime is refused. Seconds; default 86,400 (24 hours), or 3,600 for an issuer with a revocation
   * stream, unless `revocation.maxTokenLifetimeSeconds` says otherwise.
   */
  readonly maxTokenLifetimeSeconds?: number;
  /**
   * Accepts `http:` addresses of this issuer outside of this machine, configured or discovered. Its keys, and what the gateway
   * sends to it, are then unprotected: for development only.
   */
  readonly allowInsecureIssuer?: boolean;
}

/** Where an issuer's tokens hold what decisions need. See {@link IssuerOptions.claims}. */
export interface ClaimNames {
  /** Default `scope`. The claim holds space-separated words, or a list. */
  readonly scopes?: ClaimMapping;
  /** No default: without it, tokens bring no policies. */
  readonly policies?: ClaimMapping;
  /** Default `roles`. */
  readonly roles?: ClaimMapping;
  /** Default `client_id`. */
  readonly clientId?: ClaimPath;
  /** Default `sub`. Revocations of a person are still matched by `sub`. */
  readonly subject?: ClaimPath;
  /**
   * Recognizes a token without a person. A token whose `sub` is its client (RFC 9068 section 2.2) is
   * recognized without it.
   */
  readonly service?: ClaimTest;
  /**
   * Conditions on every token. A `typ` shared with ID tokens needs one to tell them apart (RFC 8725 section
   * 3.12).
   */
  readonly required?: readonly ClaimTest[];
}

/** RFC 8725 section 3.1, RFC 9700 section 2.5: asymmetric only. */
export const ALLOWED_ALGORITHMS: readonly string[] = ['EdDSA', 'ES256', 'PS256', 'RS256'];
export const ACCESS_TOKEN_TYPE = 'at+jwt';

export interface VerifiedAccessToken {
  readonly issuer: IssuerOptions;
  readonly namespaces: Namespaces;
  /** The token was introspected, and the result is valid only briefly. */
  readonly isIntrospected?: true;
  /** `kid` of the key in the token's header. */
  readonly keyId?: string | undefined;
  /** The key that verified it, valid while `Issuers.believes` says so. Absent for an introspected token. */
  readonly key?: VerificationKey;
  readonly payload: Omit<JWTPayload, 'jti'> & {
    readonly exp: number;
    readonly iat: number;
    readonly sub: string;
    readonly jti: string | undefined;
  };
}

interface Issuer {
  readonly options: IssuerOptions;
  readonly keys: RemoteKeys;
}

/** What an issuer's tokens are verified by. */
export type VerifiedBy = 'keys' | 'introspection';

/** Hears which of an issuer's means of verification is unavailable, and why. */
type WhenUnavailable = (issuer: IssuerOptions, what: VerifiedBy, reason: string) => void;

/** Verifies access tokens of any of the trusted issuers. */
export class Issuers {
  readonly #byName = new Map<string, Issuer>();
  readonly #namespaces: Namespaces;
  readonly #whenUnavailable: WhenUnavailable;
  readonly #clock: Clock;
  readonly #opaque: { readonly issuer: IssuerOptions; readonly introspector: TokenIntrospector } | undefined;

  /** @throws {ConfigurationError} if two issuers could share a name, or both introspect */
  constructor(
    issuers: readonly IssuerOptions[],
    whenUnavailable: WhenUnavailable = () => undefined,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#whenUnavailable = whenUnavailable;
    this.#namespaces = new Namespaces(issuers);
    const asked = introspectingIssuer(issuers);
    this.#opaque =
      asked?.introspection === undefined
        ? undefined
        : { issuer: asked, introspector: new TokenIntrospector(asked, asked.introspection, clock) };
    for (const options of issuers) {
      const discovery = new KeySetDiscovery(options, clock);
      this.#byName.set(options.issuer, {
        options,
        keys: new RemoteKeys({ locate: () => discovery.locate(), clock }),
      });
    }
  }

  /**
   * RFC 9068 section 4, RFC 8725. The unverified `iss` only selects keys and rules, and is then verified (issuer mix-up). Keys
   * and addresses in the token (`jwk`, `jku`, `x5u`) are never used.
   *
   * @param address the client's, if known
   * @throws {RefusedError} 401 `INVALID_TOKEN`, or 503 `ISSUER_KEYS_UNAVAILABLE` or `TOKEN_INTROSPECTION_UNAVAILABLE`
   */
  async verify(token: string, address?: string): Promise<VerifiedAccessToken> {
    if (isOpaque(token) && this.#opaque !== undefined) {
      const { issuer, introspector } = this.#opaque;
      const payload = await introspector.introspect(token, address);
      return { issuer, namespaces: this.#namespaces, isIntrospected: true, payload };
    }
    if (!isCompactJws(token)) throw invalidToken('TOKEN_MALFORMED');
    const entry = this.#byName.get(unverifiedIssuer(token) ?? '');
    if (entry === undefined) throw invalidToken('ISSUER_UNKNOWN');
    const { options } = entry;
    const types = (options.tokenTypes ?? [ACCESS_TOKEN_TYPE]).map((type) => type.toLowerCase());
    if (!types.includes(tokenType(token))) throw invalidToken('TOKEN_TYPE');
    let verified: VerifiedByKey;
    try {
      verified = await entry.keys.verify(token, {
        issuer: options.issuer,
        audience: options.audience,
        algorithms: [...algorithmsOf(options)],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#clock.now()),
        requiredClaims: ['exp', 'iat', 'sub'],
      });
    } catch (error) {
      throw this.#refusalOf(error, options);
    }
    const { payload, namedKeyId, key } = verified;
    // jose's types promise strings, but only the presence was checked.
    const keyId: unknown = namedKeyId;
    const { exp, iat, sub, jti }: { exp?: number; iat?: number; sub?: unknown; jti?: unknown } = payload;
    if (exp === undefined || iat === undefined) throw invalidToken('CLAIM_MISSING');
    if (typeof sub !== 'string' || sub === '') throw invalidToken('SUBJECT_MALFORMED');
    if (jti !== undefined && typeof jti !== 'string') throw invalidToken('TOKEN_ID_MALFORMED');
    return {
      issuer: options,
      namespaces: this.#namespaces,
      keyId: typeof keyId === 'string' ? keyId : undefined,
      key,
      payload: { ...payload, exp, iat, sub, jti },
    };
  }

  /**
   * Whether a verification by this key still counts: a recent enough key set contains this very key.
   *
   * @throws {RefusedError} 503 `ISSUER_KEYS_UNAVAILABLE` if no such key set is available
   */
  async believes(issuer: string, key: VerificationKey): Promise<boolean> {
    const entry = this.#byName.get(issuer);
    if (entry === undefined) return false;
    const { keys, options } = entry;
    try {
      await keys.freshen();
    } catch (error) {
      throw this.#refusalOf(error, options);
    }
    return keys.holds(key);
  }

  /** Whether tokens of at least one issuer can be verified. */
  async canVerify(): Promise<boolean> {
    const all = [...this.#byName.values()].map((issuer) => this.#canVerifyOf(issuer));
    return anyOf(all);
  }

  /** By its keys, known and recent enough or fetched now, or by introspection: an issuer that introspects may have no keys. */
  async #canVerifyOf({ options, keys }: Issuer): Promise<boolean> {
    const checks: [VerifiedBy, Promise<string | undefined>][] = [
      ['keys', keys.problem(algorithmsOf(options))],
    ];
    if (this.#opaque?.issuer === options) checks.push(['introspection', this.#opaque.introspector.problem()]);
    if (await anyOf(checks.map(async ([, problem]) => (await problem) === undefined))) return true;
    for (const [what, problem] of checks) this.#whenUnavailable(options, what, (await problem) ?? '');
    return false;
  }

  #refusalOf(error: unknown, issuer: IssuerOptions): RefusedError {
    // An invalid key in a key set is jose's error as well; all others concern the token.
    if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid)) {
      const refusal = invalidToken(error.code);
      refusal.namedClient = this.#clientOf(error, issuer);
      return refusal;
    }
    const reason = error instanceof KeysUnavailableError ? error.reason : 'ANSWER';
    this.#whenUnavailable(issuer, 'keys', reason);
    return keysUnavailable(reason);
  }

  /** jose verifies the signature before the claims, and has the payload only then. */
  #clientOf(error: errors.JOSEError, issuer: IssuerOptions): string | undefined {
    if (!(error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed))
      return undefined;
    return namedClient({ issuer, namespaces: this.#namespaces, payload: error.payload });
  }

  /**
   * Refetches an issuer's keys after it announced a change. Does nothing if they were never needed.
   *
   * @throws if the fetch fails; known keys then stay for as long as they would have
   */
  async refreshKeys(issuer: string): Promise<void> {
    const keys = this.#byName.get(issuer)?.keys;
    if (keys?.isKnown === true) await keys.refresh();
  }
}

function algorithmsOf({ algorithms = ALLOWED_ALGORITHMS }: IssuerOptions): readonly string[] {
  return algorithms;
}

/** The one issuer that introspects opaque tokens. @throws {ConfigurationError} if there are several */
function introspectingIssuer(issuers: readonly IssuerOptions[]): IssuerOptions | undefined {
  let found: IssuerOptions | undefined;
  issuers.forEach((options, index) => {
    const { introspection } = options;
    if (introspection === undefined) return;
    const path = `issuers[${index}].introspection`;
    if (found !== undefined)
      throw new ConfigurationError(path, 'is one too many: an opaque token does not say whose it is');
    if ((introspection.clientSecret === undefined) === (introspection.privateKey === undefined))
      throw new ConfigurationError(path, 'needs one of a client secret and a private key');
    found = options;
  });
  return found;
}

function keysUnavailable(reason: string): RefusedError {
  return new RefusedError({
    code: 'ISSUER_KEYS_UNAVAILABLE',
    message: 'Tokens cannot be verified at the moment',
    status: 503,
    headers: new Map([['retry-after', '5']]),
    reason,
  });
}
