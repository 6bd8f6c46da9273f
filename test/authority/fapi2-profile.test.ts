import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CODE_SECONDS } from '../../authority/oidc/lifetimes.js';
import { BrowserlessPerson } from '../support/person.js';
import {
  ALMA,
  application,
  claimsOf,
  client,
  clientKey,
  type ClientKey,
  discoverAs,
  nextSecond,
  post,
  REDIRECT_URI,
  withClients,
} from './oauth-setup.js';
import { AUDIENCE, authorizationRequest, discover, startTestAuthority, type TestAuthority } from './setup.js';

const POLICIES = {
  bank: { scopes: ['accounts:read'], purposes: ['budgeting'] },
  odd: { scopes: ['accounts:read'] },
};

let authority: TestAuthority;
let key: ClientKey;
let dpopKeys: oidc.CryptoKeyPair;
beforeAll(async () => {
  key = await clientKey('PS256');
  dpopKeys = await oidc.randomDPoPKeyPair('ES256');
  const { authentication } = key;
  authority = await startTestAuthority(
    withClients(
      [application('bank', { authentication, senderConstraint: 'dpop', profile: 'fapi2' })],
      POLICIES,
    ),
  );
});
afterAll(() => authority.close());

/** The flow of the profile: pushed, bound, authenticated by a key. */
async function connect() {
  const bank = await discoverAs(authority, 'bank', key);
  const DPoP = oidc.getDPoPHandle(bank, dpopKeys);
  const verifier = oidc.randomPKCECodeVerifier();
  const url = await oidc.buildAuthorizationUrlWithPAR(
    bank,
    {
      redirect_uri: REDIRECT_URI,
      scope: 'accounts:read',
      state: 's',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    },
    { DPoP },
  );
  const { callbackUrl } = await new BrowserlessPerson().follow(url, ALMA);
  const redeem = (options?: oidc.DPoPOptions) =>
    oidc.authorizationCodeGrant(
      bank,
      callbackUrl,
      { pkceCodeVerifier: verifier, expectedState: 's' },
      undefined,
      options,
    );
  return { bank, DPoP, callbackUrl, redeem };
}

describe('FAPI 2.0 Security Profile section 5.3.2, for a client', () => {
  it('5.3.2.1 and 5.3.2.2: a conforming flow completes, and names its issuer', async () => {
    const { DPoP, callbackUrl, redeem } = await connect();
    expect(callbackUrl.searchParams.get('iss')).toBe(authority.issuer);
    const tokens = await redeem({ DPoP });
    expect(tokens.token_type).toBe('dpop');
    expect(claimsOf(tokens)).toMatchObject({ aud: AUDIENCE, client_id: 'bank' });
    expect(claimsOf(tokens).cnf?.jkt).toBeDefined();
  });

  it('5.3.2.2 (2): a request that was not pushed is refused', async () => {
    const { url } = await authorizationRequest(await discoverAs(authority, 'bank', key), 'accounts:read');
    const response = await fetch(url, { redirect: 'manual' });
    const location = new URL(response.headers.get('location') ?? '');
    expect(location.searchParams.get('error')).toBe('invalid_request');
    expect(location.searchParams.get('code')).toBeNull();
  });

  it('5.3.2.1: a token without a proof is refused', async () => {
    const { redeem } = await connect();
    await expect(redeem()).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('5.3.2.1: the client authenticates, also to push', async () => {
    const form = {
      client_id: 'bank',
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'accounts:read',
    };
    const answer = await post(`${authority.issuer}/request`, form);
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('5.3.2.2: a pushed request must name its redirect address', async () => {
    const bank = await discoverAs(authority, 'bank', key);
    const attempt = oidc.buildAuthorizationUrlWithPAR(bank, {
      redirect_uri: '',
      scope: 'accounts:read',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    await expect(attempt).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('5.3.2.1: a code lives for at most sixty seconds', async () => {
    expect(CODE_SECONDS).toBeLessThanOrEqual(60);
    await connect();
    const rows = await authority.database.db
      .selectFrom('authority.oidc_payload')
      .select('expires_at')
      .where('model', '=', 'AuthorizationCode')
      .execute();
    expect(rows.length).toBeGreaterThan(0);
    for (const { expires_at: end } of rows) {
      expect((end?.getTime() ?? Infinity) - Date.now()).toBeLessThanOrEqual(60_000);
    }
  });

  it('5.3.2.2: a reused code is refused', async () => {
    const { DPoP, redeem } = await connect();
    await redeem({ DPoP });
    await expect(redeem({ DPoP })).rejects.toMatchObject({ error: 'invalid_grant' });
    await nextSecond();
  });

  it('5.3.2.1 (9): refresh tokens do not rotate, and need the client’s key', async () => {
    const { DPoP, bank, redeem } = await connect();
    const { refresh_token: refreshToken = '' } = await redeem({ DPoP });
    for (let count = 0; count < 2; count++) {
      const again = await oidc.refreshTokenGrant(bank, refreshToken, undefined, { DPoP });
      expect([undefined, refreshToken]).toContain(again.refresh_token);
      expect(claimsOf(again).cnf?.jkt).toBeDefined();
    }
    await expect(oidc.refreshTokenGrant(bank, refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    const thief = await discoverAs(authority, 'bank', await clientKey('PS256'));
    const stolen = oidc.refreshTokenGrant(thief, refreshToken, undefined, { DPoP });
    await expect(stolen).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('other clients are not held to it', async () => {
    const { url } = await authorizationRequest(await discover(authority), 'accounts:read');
    const { callbackUrl } = await new BrowserlessPerson().follow(url, ALMA);
    expect(callbackUrl.searchParams.get('code')).not.toBeNull();
  });
});

describe('FAPI 2.0 Security Profile, for the authority', () => {
  const profile = 'fapi2' as const;

  it('5.3.2.1: every client must push, and the metadata says so', async () => {
    const { authentication } = key;
    const ours = [application('bank', { authentication, senderConstraint: 'dpop' })];
    await authority.restart({ demo: false, profile, ...withClients(ours, POLICIES) });
    const metadata = (await discoverAs(authority, 'bank', key)).serverMetadata();
    expect(metadata.require_pushed_authorization_requests).toBe(true);
    const { url } = await authorizationRequest(await discoverAs(authority, 'bank', key), 'accounts:read');
    const response = await fetch(url, { redirect: 'manual' });
    const location = new URL(response.headers.get('location') ?? '');
    expect(location.searchParams.get('error')).toBe('invalid_request');
  });

  it.each([
    ['a public client', () => application('odd', { senderConstraint: 'dpop' })],
    [
      'a client with a secret',
      () => ({ ...application('odd', { senderConstraint: 'dpop' }), secret: 'x'.repeat(32) }),
    ],
    ['tokens without a key', () => application('odd', { authentication: key.authentication })],
    [
      'a service whose tokens are bearer tokens',
      () =>
        client('odd', {
          authentication: key.authentication,
          clientCredentials: { scopes: ['accounts:read'] },
        }),
    ],
  ])('5.3.2.1: %s stops the start', async (_, odd) => {
    const attempt = authority.restart({ demo: false, profile, ...withClients([odd()], POLICIES) });
    await expect(attempt).rejects.toMatchObject({ name: 'AuthorityError', code: 'CLIENT_INVALID' });
  });

  it('5.4.1: a client key for another algorithm stops the start', async () => {
    const old = await clientKey('RS256');
    const odd = application('odd', { authentication: old.authentication, senderConstraint: 'dpop' });
    const attempt = authority.restart({ demo: false, profile, ...withClients([odd], POLICIES) });
    await expect(attempt).rejects.toMatchObject({ name: 'AuthorityError', code: 'CLIENT_INVALID' });
  });
});
