import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { JWK } from 'jose';
import { TXN_TOKEN_ALGORITHM, TXN_TOKEN_TYPE } from '@behalf/directives';

interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicJwk: JWK;
  /** Base64url of the protected header, made once. */
  readonly header: string;
}

/**
 * The gateway's Ed25519 keys (RFC 8037). The newest signs; the one before stays in the published set, so that
 * tokens under way and subgraphs' cached key sets outlive a rotation.
 */
export class SigningKeys {
  private constructor(
    private current: SigningKey,
    private previous: SigningKey | undefined,
  ) {}

  /** @param privateJwk An Ed25519 private key; default: one is generated, for as long as this process lives. */
  static async create(privateJwk?: JWK): Promise<SigningKeys> {
    return new SigningKeys(await toSigningKey(privateJwk), undefined);
  }

  async rotate(privateJwk?: JWK): Promise<void> {
    this.previous = this.current;
    this.current = await toSigningKey(privateJwk);
  }

  /** RFC 7517 section 5: public keys only. */
  jwks(): { readonly keys: readonly JWK[] } {
    return {
      keys: [this.current, this.previous].flatMap((key) => (key === undefined ? [] : [key.publicJwk])),
    };
  }

  /** A signed JWT of these claims (RFC 7515 section 7.1). By hand, because it is done for each subgraph of each request. */
  sign(claims: object): string {
    const { header, privateKey } = this.current;
    const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
  }
}

async function toSigningKey(privateJwk: JWK | undefined): Promise<SigningKey> {
  const privateKey =
    privateJwk === undefined
      ? generateKeyPairSync('ed25519').privateKey
      : createPrivateKey({ key: { ...privateJwk }, format: 'jwk' });
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new TypeError('transaction tokens are signed with Ed25519');
  const publicJwk = createPublicKey(privateKey).export({ format: 'jwk' }) as JWK;
  const kid = await calculateJwkThumbprint(publicJwk);
  const header = { alg: TXN_TOKEN_ALGORITHM, typ: TXN_TOKEN_TYPE, kid };
  return {
    privateKey,
    publicJwk: { ...publicJwk, kid, use: 'sig', alg: TXN_TOKEN_ALGORITHM },
    header: Buffer.from(JSON.stringify(header)).toString('base64url'),
  };
}
