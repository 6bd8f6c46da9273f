import { randomUUID } from 'node:crypto';

import { exportPKCS8, importPKCS8, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { client, clientKey, type ClientKey, discoverAs, post, withClients } from './oauth-setup.js';
import { startTestAuthority, type TestAuthority } from './setup.js';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let authority: TestAuthority;
let key: ClientKey;
let rsa: ClientKey;
let other: ClientKey;
beforeAll(async () => {
  key = await clientKey();
  rsa = await clientKey('PS256');
  other = await clientKey();
  const clientCredentials = { scopes: ['profile:read'] };
  authority = await startTestAuthority(
    withClients(
      [
        client('statements', { authentication: key.authentication, clientCredentials }),
        client('rsa', { authentication: rsa.authentication, clientCredentials }),
      ],
      { statements: { scopes: ['profile:read'] }, rsa: { scopes: ['profile:read'] } },
    ),
  );
});
afterAll(() => authority.close());

interface Changed {
  readonly claims?: Record<string, unknown>;
  readonly signedBy?: oidc.CryptoKey;
  readonly alg?: string;
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

async function assertion({
  claims = {},
  signedBy = key.privateKey,
  alg = 'ES256',
}: Changed = {}): Promise<string> {
  const { issuer } = authority;
  const whole = {
    iss: 'statements',
    sub: 'statements',
    aud: issuer,
    jti: randomUUID(),
    iat: nowSeconds(),
    exp: nowSeconds() + 60,
    ...claims,
  };
  return new SignJWT(whole).setProtectedHeader({ alg, kid: 'client-key' }).sign(signedBy);
}

function ask(clientAssertion: string, more: Record<string, string> = {}) {
  return post(`${authority.issuer}/token`, {
    grant_type: 'client_credentials',
    scope: 'profile:read',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: clientAssertion,
    ...more,
  });
}

describe('RFC 7523 private_key_jwt', () => {
  it('section 2.2: a real client authenticates by its key repeatedly', async () => {
    const service = await discoverAs(authority, 'statements', key);
    for (let count = 0; count < 2; count++) {
      const tokens = await oidc.clientCredentialsGrant(service, { scope: 'profile:read' });
      expect(tokens.access_token).not.toBe('');
    }
  });

  it('section 3 (7): a reused assertion is refused', async () => {
    const once = await assertion();
    expect((await ask(once)).status).toBe(200);
    expect(await ask(once)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('section 3 (7): of ten concurrent uses, one is served', async () => {
    const once = await assertion();
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(once)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('section 3 (7): a second instance on the same store refuses it too', async () => {
    const once = await assertion();
    expect((await ask(once)).status).toBe(200);
    await authority.restart();
    expect((await ask(once)).status).toBe(401);
  });

  it.each<[string, () => Changed]>([
    ['section 3 (1): without issuer', () => ({ claims: { iss: undefined } })],
    ['section 3 (1): by another issuer', () => ({ claims: { iss: 'budget-app' } })],
    [
      'section 3 (3): for the token endpoint of another server',
      () => ({ claims: { aud: 'https://as.example/token' } }),
    ],
    [
      'for our token endpoint, which another server can name as its own',
      () => ({ claims: { aud: `${authority.issuer}/token` } }),
    ],
    ['FAPI 2.0 section 5.3.2.1: for a list of audiences', () => ({ claims: { aud: [authority.issuer] } })],
    ['section 3 (4): without expiry', () => ({ claims: { exp: undefined } })],
    ['section 3 (4): that expired', () => ({ claims: { exp: nowSeconds() - 60 } })],
    ['section 3 (4): valid for an hour', () => ({ claims: { exp: nowSeconds() + 3_600 } })],
    ['section 3 (5): that is not valid yet', () => ({ claims: { nbf: nowSeconds() + 600 } })],
    ['section 3 (7): without jti', () => ({ claims: { jti: undefined } })],
    ['section 3 (9): by another key', () => ({ signedBy: other.privateKey })],
  ])('an assertion %s is refused', async (_, changed) => {
    const answer = await ask(await assertion(changed()));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('FAPI 2.0 section 5.4.1: the same key signs by PS256, and not by RS256', async () => {
    const claims = { iss: 'rsa', sub: 'rsa' };
    const byPss = await assertion({ claims, signedBy: rsa.privateKey, alg: 'PS256' });
    expect((await ask(byPss)).status).toBe(200);
    const sameKey = await importPKCS8(await exportPKCS8(rsa.privateKey), 'RS256');
    const byPkcs1 = await assertion({ claims, signedBy: sameKey, alg: 'RS256' });
    expect(await ask(byPkcs1)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('the client identifier without an assertion is not enough', async () => {
    const answer = await post(`${authority.issuer}/token`, {
      grant_type: 'client_credentials',
      scope: 'profile:read',
      client_id: 'statements',
    });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});
