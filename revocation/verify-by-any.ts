import { errors, jwtVerify } from 'jose';
import type { createLocalJWKSet, CryptoKey, JWTHeaderParameters, JWTPayload, JWTVerifyOptions } from 'jose';

/** One public key of an issuer, for as long as the issuer publishes it unchanged. */
export interface VerificationKey {
  /** `kid` */
  readonly keyId: string | undefined;
  /** Everything that identifies the key and its permitted use. */
  readonly identity: string;
  /** The key itself, whatever its name and use. */
  readonly material: string;
  readonly resolve: ReturnType<typeof createLocalJWKSet>;
}

export interface FoundKey {
  readonly key: VerificationKey;
  readonly publicKey: CryptoKey;
}

/** A token whose signature and claims are valid, and the key that verified it. */
export interface VerifiedByKey {
  readonly payload: JWTPayload;
  /** `kid` in the token's header. */
  readonly namedKeyId: string | undefined;
  readonly key: VerificationKey;
}

/** No key that was tried has signed the token. */
export interface NotVerified {
  readonly error: errors.JWSSignatureVerificationFailed;
  readonly tried: ReadonlySet<VerificationKey>;
}

/** RFC 7515 section 4.1.4: a name is a text. Whatever else stands there names no key. */
function withReadableName(header: JWTHeaderParameters): JWTHeaderParameters {
  const { kid, ...nameless } = header;
  return typeof kid === 'string' ? header : nameless;
}

/**
 * Tries one key after the other until the signature is valid (RFC 7515 appendix D).
 *
 * @param candidates the keys that can have signed a token with this header
 * @throws {errors.JOSEError} if there is no candidate, or the token is not valid whatever key has signed it
 */
export async function verifyByAny(
  token: string,
  options: JWTVerifyOptions,
  candidates: (header: JWTHeaderParameters) => Promise<readonly FoundKey[]>,
): Promise<VerifiedByKey | NotVerified> {
  const tried = new Set<VerificationKey>();
  let waiting: FoundKey[] | undefined;
  for (;;) {
    let current: VerificationKey | undefined;
    try {
      const { payload, protectedHeader } = await jwtVerify(
        token,
        async (header) => {
          waiting ??= [...(await candidates(withReadableName(header)))];
          const found = waiting.shift();
          if (found === undefined) throw new errors.JWKSNoMatchingKey();
          current = found.key;
          return found.publicKey;
        },
        options,
      );
      if (current === undefined) throw new errors.JWKSNoMatchingKey();
      return { payload, namedKeyId: protectedHeader.kid, key: current };
    } catch (error) {
      // Whatever else is wrong is wrong with every key.
      if (!(error instanceof errors.JWSSignatureVerificationFailed) || current === undefined) throw error;
      tried.add(current);
      if (waiting === undefined || waiting.length === 0) return { error, tried };
    }
  }
}
