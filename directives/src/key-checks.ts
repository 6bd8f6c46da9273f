import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isRecord } from './is-record.js';
import type { Check } from './option-checks.js';

/** The type of key that each algorithm of client authentication needs. */
const KEY_TYPES: ReadonlyMap<unknown, string> = new Map([
  ['EdDSA', 'ed25519'],
  ['ES256', 'ec'],
  ['PS256', 'rsa'],
  ['RS256', 'rsa'],
]);
const P256 = 'prime256v1';

/** The key that signs transaction tokens (RFC 8037). */
export const aSigningKey: Check = (value) =>
  privateKeyOf(value)?.asymmetricKeyType === 'ed25519' ? undefined : 'must be an Ed25519 private key as JWK';

/** A key by which a client authenticates (RFC 7523 section 2.2). */
export const aClientKey: Check = (value) => {
  const problem = 'must be a private key as JWK, with its "alg": EdDSA, ES256, PS256 or RS256';
  const key = privateKeyOf(value);
  if (key === undefined || !isRecord(value)) return problem;
  if (key.asymmetricKeyType !== KEY_TYPES.get(value.alg)) return problem;
  const isOtherCurve = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve !== P256;
  return isOtherCurve ? problem : undefined;
};

/** A key that verifies transaction tokens. A private one would let its holder make them. */
export const aVerifyingKey: Check = (value) => {
  const problem = 'must be an Ed25519 public key as JWK';
  if (!isRecord(value) || value.d !== undefined) return problem;
  const key = keyOf(() => createPublicKey({ key: { ...value }, format: 'jwk' }));
  return key?.asymmetricKeyType === 'ed25519' ? undefined : problem;
};

/** Undefined for a public key, a shared secret, and anything that is not a JWK. */
function privateKeyOf(jwk: unknown): KeyObject | undefined {
  return isRecord(jwk) ? keyOf(() => createPrivateKey({ key: { ...jwk }, format: 'jwk' })) : undefined;
}

function keyOf(read: () => KeyObject): KeyObject | undefined {
  try {
    return read();
  } catch {
    // The reason could quote the key.
    return undefined;
  }
}
