import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWK } from 'jose';

export const BENCH_ISSUER = 'https://gateway.bench';
/** A transaction token lives only for seconds. */
const RENEWED_AFTER_MS = 5_000;

/** A gateway's transaction tokens for one subgraph. */
export class BenchTokens {
  readonly #tokens = new Map<string, { readonly token: string; readonly at: number }>();

  readonly #sign: (scope: string) => Promise<string>;

  private constructor(
    readonly key: JWK,
    sign: (scope: string) => Promise<string>,
  ) {
    this.#sign = sign;
  }

  static async for(audience: string): Promise<BenchTokens> {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
    const key = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'EdDSA' };
    return new BenchTokens(key, (scope) =>
      new SignJWT({ scope, txn: 't', tctx: {}, rctx: { client_id: 'bench' }, req_wl: 'gateway' })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'bench', typ: 'txntoken+jwt' })
        .setIssuer(BENCH_ISSUER)
        .setAudience(audience)
        .setSubject('s')
        .setIssuedAt()
        .setExpirationTime('15s')
        .sign(privateKey),
    );
  }

  /** One that is still valid for some seconds. */
  async of(scope: string): Promise<string> {
    const held = this.#tokens.get(scope);
    if (held !== undefined && performance.now() - held.at <= RENEWED_AFTER_MS) return held.token;
    const token = await this.#sign(scope);
    this.#tokens.set(scope, { token, at: performance.now() });
    return token;
  }
}
