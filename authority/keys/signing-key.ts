import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';

import { AuthorityError } from '../errors.js';

/** RFC 7518, section 3.4 */
export const SIGNING_ALGORITHM = 'ES256';

/** A private key of the authority, identified by its RFC 7638 thumbprint. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/** The stored form of a new key. */
export interface NewKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

export async function generateSigningKey(): Promise<NewKey> {
  const { privateKey, publicKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  const more = { alg: SIGNING_ALGORITHM, use: 'sig', kid };
  return {
    kid,
    publicJwk: { ...(await exportJWK(publicKey)), ...more },
    privateJwk: { ...(await exportJWK(privateKey)), ...more },
  };
}

/** @throws AuthorityError `KEYS_UNREADABLE` */
export async function importSigningKey(kid: string, privateJwk: JWK): Promise<SigningKey> {
  const privateKey = await importJWK(privateJwk, SIGNING_ALGORITHM);
  if (privateKey instanceof Uint8Array) {
    throw new AuthorityError(
      'KEYS_UNREADABLE',
      `The store's signing key ${kid} is none for ${SIGNING_ALGORITHM}`,
    );
  }
  return { kid, privateKey };
}
