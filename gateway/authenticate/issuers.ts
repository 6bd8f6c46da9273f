import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { ConfigurationError, RefusedError } from '../errors.js';
import { invalidToken } from './bearer.js';
import type { ClaimMapping, ClaimPath, ClaimTest } from './claims.js';
import { Introspector } from './introspection.js';
import type { IntrospectionOptions } from './introspection.js';
import { Namespaces } from './namespaces.js';

/** One trusted issuer of access tokens. */
export interface IssuerOptions {
  /** Exactly as in the tokens' `iss`. */
  readonly issuer: string;
  /** The token's `aud` must hold it. */
  readonly audience: string;
  /** Default: `jwks_uri` of the issuer's metadata (RFC 8414, or OpenID Connect Discovery). */
  readonly jwksUri?: string;
  /** Default EdDSA, ES256, PS256, RS256. Symmetric algorithms and `none` are never accepted. */
  readonly algorithms?: readonly string[];
  /** Values of `typ`, in any case. Default: `at+jwt` (RFC 9068 section 2.1). */
  readonly tokenTypes?: readonly string[];
  /** Where the token holds what decisions need. */
  readonly claims?: ClaimNames;
  /**
   * Stands, with a colon, before the issuer's subjects, clients, actors and consents. Of several issuers only one may have
   * none: the same `sub` of two issuers is two people.
   */
  readonly namespace?: string;
  /**
   * Tokens that are no JWS are asked about there. One issuer at most may have it: an opaque token does not say whose it is,
   * and to ask one issuer after the other would show each the others' tokens.
   */
  readonly introspection?: IntrospectionOptions;
}

export interface ClaimNames {
  /** Default `scope`. Strings of words, or lists. */
  readonly scopes?: ClaimMapping;
  /** No default: without it no token brings policies. */
  readonly policies?: ClaimMapping;
  /** Default `roles`. */
  readonly roles?: ClaimMapping;
  /** Default `client_id`. */
  readonly clientId?: ClaimPath;
  /** Default `sub`. Revocations of a person are still matched by `sub`. */
  readonly subject?: ClaimPath;
  /**
   * What tells that no person stands behind a token. A token whose `sub` is its client (RFC 9068 section 2.2) is such a one
   * without it.
   */
  readonly service?: ClaimTest;
  /** What every token must say. With a `typ` that ID tokens have as well, it tells access tokens from them (RFC 8725 section 3.12). */
  readonly required?: readonly ClaimTest[];
}

/** RFC 8725 section 3.1, RFC 9700 section 2.5: asymmetric only. */
export const ALLOWED_ALGORITHMS: readonly string[] = ['EdDSA', 'ES256', 'PS256', 'RS256'];
export const ACCESS_TOKEN_TYPE = 'at+jwt';
const CLOCK_TOLERANCE_SECONDS = 5;
const KEYS_TIMEOUT_MS = 5_000;
/** Between two looks at an issuer's keys that an unknown `kid` may cause. */
const KEYS_COOLDOWN_MS = 5_000;
const KEYS_MAX_AGE_MS = 600_000;
/** After a discovery that failed: whoever sends tokens must not be able to send the gateway asking each time. */
const DISCOVERY_PAUSE_MS = 1_000;

export interface VerifiedAccessToken {
  readonly issuer: IssuerOptions;
  readonly namespaces: Namespaces;
  /** The issuer was asked about it, and what it said is good for a moment only. */
  readonly isIntrospected?: true;
  readonly keyId?: string | undefined;
  readonly payload: Omit<JWTPayload, 'jti'> & {
    readonly exp: number;
    readonly iat: number;
    readonly sub: string;
    readonly jti: string | undefined;
  };
}

type KeySet = ReturnType<typeof createRemoteJWKSet>;

interface Issuer {
  readonly options: IssuerOptions;
  keys: Promise<KeySet> | undefined;
}

/** Verifies access tokens of any of the trusted issuers. */
export class Issuers {
  private readonly byName = new Map<string, Issuer>();
  private readonly namespaces: Namespaces;
  private readonly opaque:
    { readonly issuer: IssuerOptions; readonly introspector: Introspector } | undefined;

  /** @throws {ConfigurationError} when two issuers could have a name in common, or both be asked about one token. */
  constructor(issuers: readonly IssuerOptions[]) {
    this.namespaces = new Namespaces(issuers);
    const asked = introspectingIssuer(issuers);
    this.opaque =
      asked?.introspection === undefined
        ? undefined
        : { issuer: asked, introspector: new Introspector(asked, asked.introspection) };
    for (const options of issuers) this.byName.set(options.issuer, { options, keys: undefined });
  }

  /**
   * RFC 9068 section 4, RFC 8725. The unverified `iss` only selects whose keys and rules apply; it must then be the
   * verified one (issuer mix-up). Keys and addresses that a token brings along (`jwk`, `jku`, `x5u`) are never used.
   *
   * @param address The client's, where it is known.
   * @throws {RefusedError} 401 `INVALID_TOKEN`, or 503 `ISSUER_KEYS_UNAVAILABLE` or `TOKEN_INTROSPECTION_UNAVAILABLE`.
   */
  async verify(token: string, address?: string): Promise<VerifiedAccessToken> {
    if (isOpaque(token) && this.opaque !== undefined) {
      const { issuer, introspector } = this.opaque;
      const payload = await introspector.introspect(token, address);
      return { issuer, namespaces: this.namespaces, isIntrospected: true, payload };
    }
    if (!isCompactJws(token)) throw invalidToken('TOKEN_MALFORMED');
    const entry = this.byName.get(unverifiedIssuer(token) ?? '');
    if (entry === undefined) throw invalidToken('ISSUER_UNKNOWN');
    const { options } = entry;
    const types = (options.tokenTypes ?? [ACCESS_TOKEN_TYPE]).map((type) => type.toLowerCase());
    if (!types.includes(tokenType(token))) throw invalidToken('TOKEN_TYPE');
    const keys = await this.keysOf(entry);
    let payload: JWTPayload;
    let keyId: string | undefined;
    try {
      ({
        payload,
        protectedHeader: { kid: keyId },
      } = await jwtVerify(token, keys, {
        issuer: options.issuer,
        audience: options.audience,
        algorithms: [...(options.algorithms ?? ALLOWED_ALGORITHMS)],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'iat', 'sub'],
      }));
    } catch (error) {
      throw refusalOf(error);
    }
    // jose's types promise strings where only their presence was checked.
    const { exp, iat, sub, jti }: { exp?: number; iat?: number; sub?: unknown; jti?: unknown } = payload;
    if (exp === undefined || iat === undefined) throw invalidToken('CLAIM_MISSING');
    if (typeof sub !== 'string' || sub === '') throw invalidToken('SUBJECT_MALFORMED');
    if (jti !== undefined && typeof jti !== 'string') throw invalidToken('TOKEN_ID_MALFORMED');
    if (iat > Date.now() / 1000 + CLOCK_TOLERANCE_SECONDS) throw invalidToken('ISSUED_IN_FUTURE');
    return {
      issuer: options,
      namespaces: this.namespaces,
      keyId,
      payload: { ...payload, exp, iat, sub, jti },
    };
  }

  /**
   * Fetches an issuer's keys again, which it has announced to have changed. Where they were never needed, nothing is done.
   *
   * @throws when they cannot be fetched; those that were known stay for as long as they would have
   */
  async refreshKeys(issuer: string): Promise<void> {
    const keys = await this.byName.get(issuer)?.keys;
    if (keys === undefined) return;
    // A fetch under way may have been answered before the change.
    if (keys.reloading) await keys.reload();
    await keys.reload();
  }

  /** Requests that come together share one discovery; one that failed is not tried again at once. */
  private keysOf(entry: Issuer): Promise<KeySet> {
    if (entry.keys !== undefined) return entry.keys;
    const keys = issuerKeys(entry.options);
    entry.keys = keys;
    keys.catch(() => {
      setTimeout(() => {
        entry.keys = undefined;
      }, DISCOVERY_PAUSE_MS).unref();
    });
    return keys;
  }
}

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)$/;

/**
 * RFC 7515 section 7.1, and RFC 4648 section 3.5: one signature has one spelling. The decoder would also take others, which
 * would let one token come under many digests.
 */
export function isCompactJws(token: string): boolean {
  const signature = COMPACT_JWS.exec(token)?.[1];
  return signature !== undefined && Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

/** A token of three parts is a JWS or nothing: one that is malformed is not somebody else's to judge. */
function isOpaque(token: string): boolean {
  return token.split('.').length !== 3;
}

/** The one issuer that is asked about opaque tokens. @throws {ConfigurationError} when there are several */
export function introspectingIssuer(issuers: readonly IssuerOptions[]): IssuerOptions | undefined {
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

function unverifiedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** RFC 9068 section 4: `at+jwt` or `application/at+jwt`, in any case (RFC 7515 section 4.1.9). */
function tokenType(token: string): string {
  try {
    const type = decodeProtectedHeader(token).typ?.toLowerCase() ?? '';
    return type.startsWith('application/') ? type.slice('application/'.length) : type;
  } catch {
    return '';
  }
}

async function issuerKeys(options: IssuerOptions): Promise<KeySet> {
  const jwksUri = options.jwksUri ?? (await discoverJwksUri(options.issuer));
  return createRemoteJWKSet(new URL(jwksUri), {
    timeoutDuration: KEYS_TIMEOUT_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
    cacheMaxAge: KEYS_MAX_AGE_MS,
  });
}

/** RFC 8414 section 3.1 places the well-known part before the path, OpenID Connect Discovery after it. */
async function discoverJwksUri(issuer: string): Promise<string> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '');
  const candidates = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  for (const address of candidates) {
    try {
      const response = await fetch(address, {
        signal: AbortSignal.timeout(KEYS_TIMEOUT_MS),
        redirect: 'error',
      });
      if (!response.ok) continue;
      const metadata = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
      // RFC 8414 section 3.3: the metadata must be this issuer's own.
      if (metadata.issuer === issuer && typeof metadata.jwks_uri === 'string') return metadata.jwks_uri;
    } catch {
      // The next address may answer; when none does, that is the answer.
    }
  }
  throw keysUnavailable('DISCOVERY');
}

function refusalOf(error: unknown): RefusedError {
  if (error instanceof errors.JWKSTimeout) return keysUnavailable('TIMEOUT');
  if (error instanceof errors.JOSEError) {
    // A key set that answers with an error, or with no key set, is jose's plain error; all others are about the token.
    return error.code === 'ERR_JOSE_GENERIC' || error.code === 'ERR_JWKS_INVALID'
      ? keysUnavailable('ANSWER')
      : invalidToken(error.code);
  }
  return keysUnavailable('NETWORK');
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
