import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { AuthorityDatabase, Consent } from '@behalf/authority/consent';
import {
  SigningKeyRing,
  SealedSecrets,
  KEY_SCHEDULE,
  ACCESS_TOKEN_SECONDS,
} from '@behalf/authority/internal';
import type { SigningKey } from '@behalf/authority/internal';
import { AUDIENCE, CLIENT_ID } from './names.js';

/**
 * Signs access tokens with the authority's own key, in the authority's own format. It reads the key as an instance of the authority
 * does. A thousand sign-ins with consent would take longer than everything that is measured.
 */
export class TokenMint {
  readonly #key: SigningKey;
  readonly #issuer: string;

  private constructor(key: SigningKey, issuer: string) {
    this.#key = key;
    this.#issuer = issuer;
  }

  static async open(db: AuthorityDatabase, encryptionKey: Uint8Array, issuer: string): Promise<TokenMint> {
    const secrets = new SealedSecrets(db, encryptionKey);
    const log = { log: () => undefined };
    const ring = await SigningKeyRing.open({ db, secrets, schedule: KEY_SCHEDULE, log });
    return new TokenMint(ring.now().signing, issuer);
  }

  /** A token for the consent, with all its scopes. */
  person(consent: Consent): Promise<string> {
    const { id, version, purposes, detail, until } = consent;
    return this.#sign(consent.subject, {
      scope: consent.scopes.join(' '),
      consent: { id, version, purposes, detail, until: Math.floor(until.getTime() / 1000) },
    });
  }

  /** A token of an administrator, who may end anybody's consent. */
  administrator(): Promise<string> {
    return this.#sign('admin', { scope: 'consents:admin', roles: ['administrator'] });
  }

  #sign(subject: string, claims: Record<string, unknown>): Promise<string> {
    const nowSeconds = Math.floor(Date.now() / 1000);
    return new SignJWT({ client_id: CLIENT_ID, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: this.#key.kid })
      .setIssuer(this.#issuer)
      .setAudience(AUDIENCE)
      .setSubject(subject)
      .setJti(randomUUID())
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + ACCESS_TOKEN_SECONDS)
      .sign(this.#key.privateKey);
  }
}
