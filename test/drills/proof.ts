import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import type { randomDPoPKeyPair } from 'openid-client';

type KeyPair = Awaited<ReturnType<typeof randomDPoPKeyPair>>;

/** A DPoP proof (RFC 9449 section 4.2), made by hand as an attacker would. @param nonce the server's nonce */
export async function proofFor(keys: KeyPair, url: string, token: string, nonce?: string): Promise<string> {
  const ath = createHash('sha256').update(token).digest('base64url');
  return new SignJWT({ htm: 'POST', htu: url, ath, ...(nonce === undefined ? {} : { nonce }) })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(keys.publicKey) })
    .setIssuedAt()
    .setJti(randomUUID())
    .sign(keys.privateKey);
}
