import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import type { Asking } from './support.js';

export interface ProofParts {
  /** Members that replace those of a valid header; undefined removes one. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Signs instead of the prover's own key. */
  readonly signer?: CryptoKey;
  readonly method?: string;
}

/** A client's key, and its DPoP proofs (RFC 9449 section 4.2). */
export class Prover {
  private constructor(
    readonly alg: string,
    readonly privateKey: CryptoKey,
    readonly privateJwk: JWK,
    readonly publicJwk: JWK,
    readonly jkt: string,
  ) {}

  static async create(alg = 'ES256'): Promise<Prover> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const publicJwk = await exportJWK(publicKey);
    return new Prover(
      alg,
      privateKey,
      await exportJWK(privateKey),
      publicJwk,
      await calculateJwkThumbprint(publicJwk),
    );
  }

  /** The `cnf` claim of a token bound to this key. */
  get cnf(): { readonly jkt: string } {
    return { jkt: this.jkt };
  }

  header(): Readonly<Record<string, unknown>> {
    return { typ: 'dpop+jwt', alg: this.alg, jwk: this.publicJwk };
  }

  claims(url: string, token: string, method = 'POST'): Readonly<Record<string, unknown>> {
    return {
      htm: method,
      htu: url,
      iat: Math.floor(Date.now() / 1000),
      jti: crypto.randomUUID(),
      ath: createHash('sha256').update(token).digest('base64url'),
    };
  }

  prove(url: string, token: string, { header, claims, signer, method }: ProofParts = {}): Promise<string> {
    return new SignJWT({ ...this.claims(url, token, method), ...claims })
      .setProtectedHeader({ ...this.header(), ...header } as { alg: string })
      .sign(signer ?? this.privateKey);
  }

  /** Headers of a request with a token and a proof. */
  async show(url: string, token: string, parts: ProofParts = {}): Promise<Required<Pick<Asking, 'headers'>>> {
    return { headers: { authorization: `DPoP ${token}`, dpop: await this.prove(url, token, parts) } };
  }
}

/** A JWS that no library would produce. */
export function compact(header: unknown, claims: unknown, signature = 'AAAA'): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}
