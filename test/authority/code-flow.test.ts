import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BrowserlessPerson, signInAndConsent } from '../support/person.js';
import {
  AUDIENCE,
  authorizationRequest,
  discover,
  exchange,
  OVER_LOOPBACK,
  REDIRECT_URI,
  startTestAuthority,
  type TestAuthority,
} from './setup.js';

const ALMA = { user: 'alma', password: 'alma-demo' };
const NOOR = { user: 'noor', password: 'noor-demo' };
const IRIS = { user: 'iris', password: 'iris-demo' };

interface Claims extends JWTPayload {
  readonly consent: { id: string; version: number; purposes: string[]; until: number; detail: string };
  readonly scope: string;
  readonly client_id: string;
  readonly roles?: string[];
  readonly policies?: string[];
}

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority({
    durations: [
      { seconds: 3_600, label: '1 hour' },
      { seconds: 100, label: 'a moment' },
    ],
  });
});
afterAll(() => authority.close());

async function verify(accessToken: string): Promise<Claims> {
  const keys = createRemoteJWKSet(new URL(`${authority.issuer}/jwks`));
  const { payload } = await jwtVerify<Claims>(accessToken, keys, {
    issuer: authority.issuer,
    audience: AUDIENCE,
    typ: 'at+jwt',
    algorithms: ['ES256'],
  });
  return payload;
}

describe('the authorization code flow', () => {
  it('issues a token with exactly what the person agreed to', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read transactions:read profile:read');
    const { callbackUrl, pages } = await signInAndConsent({
      authorizationUrl: request.url,
      ...ALMA,
      deny: ['transactions:read'],
    });
    expect(pages.map(({ status }) => status)).toEqual([200, 200]);
    expect(pages[1]?.markup).toContain('Pocket Budget asks for access');
    expect(pages[1]?.markup).toContain('See what you paid &amp; received');

    const tokens = await exchange(client, callbackUrl, request);
    expect(tokens.expires_in).toBe(300);
    expect(tokens.scope?.split(' ').sort()).toEqual(['accounts:read', 'profile:read']);
    const claims = await verify(tokens.access_token);
    const consent = await authority.consents.findActive('c-000001', 'budget-app');
    expect(claims).toMatchObject({
      sub: 'c-000001',
      client_id: 'budget-app',
      policies: ['kyc_verified'],
      consent: { id: consent?.id, version: 1, purposes: ['budgeting'], detail: 'full' },
    });
    expect(claims.roles).toBeUndefined();
    expect(claims.scope.split(' ').sort()).toEqual(['accounts:read', 'profile:read']);
    expect(claims.exp).toBe((claims.iat ?? 0) + 300);
    expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });

    expect(consent).toMatchObject({
      scopes: ['profile:read', 'accounts:read'],
      declined: ['transactions:read'],
    });
    const events = await authority.database.db
      .selectFrom('authority.consent_event')
      .selectAll()
      .where('record_id', '=', consent?.id ?? '')
      .orderBy('event_id')
      .execute();
    expect(events.map(({ event_type, entity_id }) => [event_type, entity_id])).toEqual([
      ['requested', 'budget-app'],
      ['granted', 'c-000001'],
    ]);
    expect(events[1]?.privacy_notice).toMatchObject({
      client: 'Pocket Budget',
      duration: '1 hour',
      scopes: expect.arrayContaining([
        {
          name: 'transactions:read',
          sentence: 'See what you paid & received',
          remarks: [expect.stringContaining('Sensitive')],
          granted: false,
        },
      ]) as unknown,
    });
  });

  it('asks only about what is not decided yet', async () => {
    const client = await discover(authority);
    const person = new BrowserlessPerson();
    const again = await authorizationRequest(client, 'accounts:read transactions:read');
    const outcome = await person.follow(again.url, ALMA);
    expect(outcome.pages.map(({ markup }) => markup.includes('name="password"'))).toEqual([true]);
    const claims = await verify((await exchange(client, outcome.callbackUrl, again)).access_token);
    expect(claims.scope).toBe('accounts:read');

    const more = await authorizationRequest(client, 'accounts:read profile:read payments:write');
    const wider = await person.follow(more.url, ALMA);
    expect(wider.pages).toHaveLength(1);
    expect(
      (await verify((await exchange(client, wider.callbackUrl, more)).access_token)).consent,
    ).toMatchObject({
      id: claims.consent.id,
      version: 2,
    });
  });

  it('ends the tokens of a consent that shrinks, and begins a new one', async () => {
    const client = await discover(authority);
    const before = await authority.consents.findActive('c-000001', 'budget-app');
    const request = await authorizationRequest(client, 'accounts:read', { prompt: 'consent' });
    const { callbackUrl } = await signInAndConsent({
      authorizationUrl: request.url,
      ...ALMA,
      detail: 'minimal',
    });
    const claims = await verify((await exchange(client, callbackUrl, request)).access_token);
    expect(claims.consent).toMatchObject({ version: 3, detail: 'minimal' });
    expect(claims.consent.id).not.toBe(before?.id);
    expect(await authority.consents.find(before?.id ?? '')).toMatchObject({ status: 'replaced' });
    const changes = await authority.database.db.selectFrom('authority.change_event').selectAll().execute();
    expect(changes.map(({ members }) => members.consentId)).toContain(before?.id);
  });

  it('issues no token that outlives the consent', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read');
    const { callbackUrl } = await signInAndConsent({
      authorizationUrl: request.url,
      ...NOOR,
      duration: 'a moment',
    });
    const tokens = await exchange(client, callbackUrl, request);
    const claims = await verify(tokens.access_token);
    const consent = await authority.consents.find(claims.consent.id);
    expect(Math.floor((consent?.until.getTime() ?? 0) / 1000)).toBe(claims.consent.until);
    expect(claims.exp).toBeLessThanOrEqual(claims.consent.until);
    expect(claims.exp).toBeGreaterThan(claims.consent.until - 5);
    const refreshed = await oidc.refreshTokenGrant(client, tokens.refresh_token ?? '');
    expect((await verify(refreshed.access_token)).exp).toBeLessThanOrEqual(claims.consent.until);
  });

  it('ends with access_denied and no consent when the person refuses', async () => {
    const client = await discover(authority, 'bank-console');
    const request = await authorizationRequest(client, 'consents:read');
    const { callbackUrl } = await signInAndConsent({
      authorizationUrl: request.url,
      ...NOOR,
      decide: 'refuse',
    });
    expect(callbackUrl.searchParams.get('error')).toBe('access_denied');
    expect(await authority.consents.findActive('c-000002', 'bank-console')).toBeUndefined();
  });

  it('asks again when nothing is ticked', async () => {
    const client = await discover(authority, 'bank-console');
    const request = await authorizationRequest(client, 'consents:read');
    const attempt = signInAndConsent({ authorizationUrl: request.url, ...NOOR, grant: [] });
    await expect(attempt).rejects.toThrow('Nothing is ticked');
  });
});

describe('administration', () => {
  it('needs the role, a confidential client and the administrators’ scope', async () => {
    const client = await discover(authority, 'bank-console');
    const request = await authorizationRequest(client, 'openid consents:read consents:admin', {
      nonce: 'n-1',
    });
    const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...IRIS });
    const tokens = await oidc.authorizationCodeGrant(client, callbackUrl, {
      pkceCodeVerifier: request.verifier,
      expectedState: request.state,
      expectedNonce: 'n-1',
    });
    const claims = await verify(tokens.access_token);
    expect(claims.roles).toEqual(['administrator']);
    expect(claims.scope.split(' ').sort()).toEqual(['consents:admin', 'consents:read']);
    expect(tokens.claims()?.sub).toBe('admin-iris');
  });

  it('is not shown to others, and cannot be forced into the form', async () => {
    const client = await discover(authority, 'bank-console');
    const request = await authorizationRequest(client, 'consents:read consents:admin');
    const { callbackUrl, pages } = await signInAndConsent({ authorizationUrl: request.url, ...ALMA });
    expect(pages[1]?.markup).toContain('consents:read');
    expect(pages[1]?.markup).not.toContain('consents:admin');
    const claims = await verify((await exchange(client, callbackUrl, request)).access_token);
    expect(claims.scope).toBe('consents:read');

    const only = await authorizationRequest(client, 'consents:admin', { prompt: 'consent' });
    const refused = await signInAndConsent({ authorizationUrl: only.url, ...ALMA });
    expect(refused.callbackUrl.searchParams.get('error')).toBe('invalid_scope');
  });

  it('needs the client’s secret', async () => {
    const client = await oidc.discovery(
      new URL(authority.issuer),
      'bank-console',
      undefined,
      oidc.ClientSecretBasic('wrong'),
      OVER_LOOPBACK,
    );
    const request = await authorizationRequest(client, 'consents:read');
    const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...ALMA });
    await expect(exchange(client, callbackUrl, request)).rejects.toMatchObject({ status: 401 });
  });
});

describe('rfc7636 PKCE', () => {
  const callback = async (parameters: Record<string, string>): Promise<URL> => {
    const url = new URL(`${authority.issuer}/auth`);
    const base = {
      client_id: 'budget-app',
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'accounts:read',
    };
    url.search = new URLSearchParams({ ...base, ...parameters }).toString();
    const response = await fetch(url, { redirect: 'manual' });
    return new URL(response.headers.get('location') ?? 'about:blank');
  };

  it.each([
    ['no challenge', {}],
    ['the method plain', { code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' }],
    ['no method, which would mean plain', { code_challenge: 'x'.repeat(43) }],
  ])('refuses %s', async (_, parameters) => {
    expect((await callback(parameters)).searchParams.get('error')).toBe('invalid_request');
  });

  it('refuses a wrong verifier', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read');
    const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...ALMA });
    const forged = { ...request, verifier: oidc.randomPKCECodeVerifier() };
    await expect(exchange(client, callbackUrl, forged)).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

describe('requests that differ from the registration', () => {
  it('a foreign redirect address is reported to the person, not to the address', async () => {
    const client = await discover(authority);
    const { url } = await authorizationRequest(client, 'accounts:read', {
      redirect_uri: 'https://evil.example/cb',
    });
    const response = await fetch(url, { redirect: 'manual' });
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
    expect(await response.text()).toContain('You cannot go back to this application');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('another API gets no token', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read', {
      resource: 'https://other.example',
    });
    const response = await fetch(request.url, { redirect: 'manual' });
    expect(new URL(response.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_target');
  });
});
