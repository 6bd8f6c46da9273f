import { randomBytes } from 'node:crypto';

import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';

import { AuthorityError } from '../errors.js';
import type { SealedSecrets } from './sealed.js';

/** A private key of the authority (ES256), by its RFC 7638 thumbprint. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/** All keys that have to survive a restart. */
export interface AuthorityKeys {
  /** Private keys, the signing one first: for oidc-provider, which publishes their public halves at /jwks. */
  readonly jwks: { readonly keys: readonly JWK[] };
  readonly signing: SigningKey;
  readonly cookieKeys: readonly string[];
}

/** @throws AuthorityError `keys_unreadable` */
export async function loadKeys(secrets: SealedSecrets): Promise<AuthorityKeys> {
  const stored = await secrets.getOrCreate('signing-keys', async () =>
    JSON.stringify([await newSigningKey()]),
  );
  const cookieKey = await secrets.getOrCreate('cookie-key', () => randomBytes(32).toString('base64url'));
  const keys = JSON.parse(stored) as JWK[];
  const [first] = keys;
  const privateKey = first === undefined ? undefined : await importJWK(first, 'ES256');
  if (first?.kid === undefined || privateKey === undefined || privateKey instanceof Uint8Array) {
    throw new AuthorityError('keys_unreadable', 'The store holds no signing key for ES256');
  }
  return { jwks: { keys }, signing: { kid: first.kid, privateKey }, cookieKeys: [cookieKey] };
}

async function newSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(jwk) };
}
