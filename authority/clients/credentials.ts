import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

import type { JWK } from 'jose';

import type { ClientAuthentication } from '../client-oauth.js';

/** FAPI 2.0 Security Profile section 5.4.1, applied to all clients: neither RSASSA-PKCS1-v1_5 nor symmetric algorithms. */
export const SIGNING_ALGORITHMS = ['ES256', 'PS256', 'EdDSA', 'Ed25519'] as const;

/** FAPI 2.0 Security Profile section 5.4.1, RFC 7518 section 3.5. */
const RSA_BITS_AT_LEAST = 2048;

/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2. */
const PRIVATE_PARAMETERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** The problem of a client's credentials; undefined if they have none. */
export function credentialProblem(authentication: ClientAuthentication | undefined): string | undefined {
  switch (authentication?.method) {
    case 'private_key_jwt':
      return keysProblem(authentication.jwks.keys);
    case 'self_signed_tls_client_auth':
      return certificatesProblem(authentication.certificates);
    default:
      return undefined;
  }
}

function keysProblem(keys: readonly JWK[]): string | undefined {
  if (keys.length === 0) return 'authenticates by a key, but has none';
  if (keys.some((key) => PRIVATE_PARAMETERS.some((name) => name in key))) {
    return 'has a key that is not public';
  }
  const taken: readonly string[] = SIGNING_ALGORITHMS;
  const other = keys.find(({ alg }) => alg !== undefined && !taken.includes(alg));
  if (other !== undefined) return `has a key for ${other.alg ?? ''}, which is not taken`;
  return keys.every(isTaken) ? undefined : 'has a key that is not for ES256, PS256 or EdDSA';
}

/** Whether the key fits one of the algorithms, and the one that it names itself. */
function isTaken(jwk: JWK): boolean {
  const key = publicKey(jwk);
  switch (key?.asymmetricKeyType) {
    case 'ec':
      return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' && (jwk.alg ?? 'ES256') === 'ES256';
    case 'rsa':
      return (
        (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_AT_LEAST &&
        (jwk.alg ?? 'PS256') === 'PS256'
      );
    case 'ed25519':
      return ['EdDSA', 'Ed25519'].includes(jwk.alg ?? 'EdDSA');
    default:
      return false;
  }
}

function publicKey(jwk: JWK): KeyObject | undefined {
  try {
    return createPublicKey({ format: 'jwk', key: jwk });
  } catch {
    return undefined;
  }
}

function certificatesProblem(certificates: readonly string[]): string | undefined {
  if (certificates.length === 0) return 'authenticates by a certificate, but has none';
  try {
    for (const pem of certificates) new X509Certificate(pem);
    return undefined;
  } catch {
    return 'has a certificate that cannot be read';
  }
}
