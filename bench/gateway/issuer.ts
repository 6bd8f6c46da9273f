import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { listen } from '@behalf/http';

export const AUDIENCE = 'https://api.bank.example';
const TOKENS = 50;

export interface BenchIssuer {
  readonly url: string;
  tokens(scopes: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

/** An issuer of access tokens that serves its key set, as any authorization server does. */
export async function startIssuer(): Promise<BenchIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    const isMetadata = request.url === '/.well-known/openid-configuration';
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(isMetadata ? { issuer: url, jwks_uri: `${url}/jwks` } : { keys: [jwk] }));
  });
  const { origin: url } = await listen(server, '127.0.0.1', 0);
  return {
    url,
    tokens: (scopes) =>
      Promise.all(
        Array.from({ length: TOKENS }, (_, index) =>
          new SignJWT({
            client_id: `app-${index}`,
            scope: scopes.join(' '),
            consent: { id: `consent-${index}`, version: 1, purposes: ['budgeting'], detail: 'full' },
          })
            .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })
            .setIssuer(url)
            .setAudience(AUDIENCE)
            .setSubject('c-000001')
            .setJti(`token-${index}`)
            .setIssuedAt()
            .setExpirationTime('1h')
            .sign(privateKey),
        ),
      ),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
