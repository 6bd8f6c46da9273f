import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { listen, sendJson } from './http.js';
import type { Listening } from './http.js';

export const AUDIENCE = 'https://api.bank.example';

export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

let keyCount = 0;

export async function makeKey(alg = 'ES256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  keyCount += 1;
  const kid = `key-${keyCount}`;
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface Minting {
  readonly key?: IssuerKey;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** An issuer with a metadata document and a key set over real HTTP. */
export class TestIssuer {
  keys: IssuerKey[] = [];
  /** Requests for the key set, and for the metadata. */
  keyRequests = 0;
  metadataRequests = 0;
  /** How the key set's endpoint behaves. */
  mode: 'up' | 'error' | 'html' = 'up';
  #listening!: Listening;

  static async start(alg = 'ES256'): Promise<TestIssuer> {
    const issuer = new TestIssuer();
    issuer.keys = [await makeKey(alg)];
    issuer.#listening = await listen((request, response) => issuer.#answer(request, response));
    return issuer;
  }

  get url(): string {
    return this.#listening.url;
  }

  close(): Promise<void> {
    return this.#listening.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/.well-known/openid-configuration') {
      this.metadataRequests += 1;
      sendJson(response, 200, { issuer: this.url, jwks_uri: `${this.url}/jwks` });
    } else if (request.url === '/jwks') {
      this.keyRequests += 1;
      if (this.mode === 'error') sendJson(response, 500, {});
      else if (this.mode === 'html') {
        response.writeHead(200, { 'content-type': 'text/html' });
        response.end('<p>try later</p>');
      } else sendJson(response, 200, { keys: this.keys.map(({ publicJwk }) => publicJwk) });
    } else sendJson(response, 404, {});
  }

  /** Claims of a valid token; an undefined member is omitted. */
  claims(more: Readonly<Record<string, unknown>> = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.url,
      aud: AUDIENCE,
      sub: 'c-000001',
      client_id: 'budget-app',
      scope: '',
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 300,
      ...more,
    };
  }

  mint(more: Readonly<Record<string, unknown>> = {}, { key, header }: Minting = {}): Promise<string> {
    const signer = key ?? this.keys.at(-1);
    if (signer === undefined) throw new Error('the issuer has no key');
    return new SignJWT(this.claims(more))
      .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: 'at+jwt', ...header })
      .sign(signer.privateKey);
  }
}
