import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { JWK } from 'jose';
import { TXN_TOKEN_ALGORITHM, TXN_TOKEN_TYPE } from '@behalf/directives/internal';
import { ConfigurationError } from '../errors.js';

interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicJwk: JWK;
  /** Base64url of the protected header, computed once. */
  readonly header: string;
}

/**
 * The gateway's Ed25519 keys (RFC 8037). One signs; the previous and the next one are published as well, so that a rotation
 * outdates neither tokens in transit nor cached key sets.
 */
export class SigningKeys {
  #previous: SigningKey | undefined;

  #current: SigningKey;
  #next: SigningKey;

  private constructor(current: SigningKey, next: SigningKey) {
    this.#current = current;
    this.#next = next;
  }

  /**
   * @param privateJwk an Ed25519 private key; default: generated, for the life of this process
   * @throws Node's or jose's error for an invalid key
   */
  static async create(privateJwk?: JWK): Promise<SigningKeys> {
    return new SigningKeys(await toSigningKey(privateJwk), await toSigningKey(undefined));
  }

  /**
   * @param privateJwk default: the published next key. A subgraph that has just fetched the set learns of any other key only at
   * its next fetch.
   */
  async rotate(privateJwk?: JWK): Promise<void> {
    const replacement = privateJwk === undefined ? this.#next : await toSigningKey(privateJwk);
    const next = privateJwk === undefined ? await toSigningKey(undefined) : this.#next;
    this.#previous = this.#current;
    this.#current = replacement;
    this.#next = next;
  }

  /** RFC 7517 section 5: public keys only. */
  jwks(): { readonly keys: readonly JWK[] } {
    return {
      keys: [this.#current, this.#next, this.#previous].flatMap((key) =>
        key === undefined ? [] : [key.publicJwk],
      ),
    };
  }

  /** A signed JWT of these claims (RFC 7515 section 7.1). Hand-written, because every subgraph request needs one. */
  sign(claims: object): string {
    const { header, privateKey } = this.#current;
    const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
  }
}

/** @throws {ConfigurationError} unless it is an Ed25519 private key (RFC 8037) */
function readPrivateKey(privateJwk: JWK): KeyObject {
  let privateKey: KeyObject | undefined;
  try {
    privateKey = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' });
  } catch {
    // The reason could quote the key.
  }
  if (privateKey?.asymmetricKeyType !== 'ed25519')
    throw new ConfigurationError('propagation.key', 'must be an Ed25519 private key as JWK');
  return privateKey;
}

async function toSigningKey(privateJwk: JWK | undefined): Promise<SigningKey> {
  const privateKey =
    privateJwk === undefined ? generateKeyPairSync('ed25519').privateKey : readPrivateKey(privateJwk);
  const publicJwk = createPublicKey(privateKey).export({ format: 'jwk' }) as JWK;
  const kid = await calculateJwkThumbprint(publicJwk);
  const header = { alg: TXN_TOKEN_ALGORITHM, typ: TXN_TOKEN_TYPE, kid };
  return {
    privateKey,
    publicJwk: { ...publicJwk, kid, use: 'sig', alg: TXN_TOKEN_ALGORITHM },
    header: Buffer.from(JSON.stringify(header)).toString('base64url'),
  };
}
