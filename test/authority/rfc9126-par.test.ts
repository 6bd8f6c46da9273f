import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BrowserlessPerson } from '../support/person.js';
import { ALMA, application, claimsOf, discoverAs, post, REDIRECT_URI, withClients } from './oauth-setup.js';
import { discover, exchange, startTestAuthority, type TestAuthority } from './setup.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority(
    withClients([application('careful-app', { requirePushedRequests: true })], {
      'careful-app': { scopes: ['accounts:read'], purposes: ['budgeting'] },
    }),
  );
});
afterAll(() => authority.close());

async function push(client: oidc.Configuration, scope: string, more: Record<string, string> = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const url = await oidc.buildAuthorizationUrlWithPAR(client, {
    redirect_uri: REDIRECT_URI,
    scope,
    state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  });
  return { url, verifier, state };
}

function pushed(parameters: Record<string, string>) {
  return post(`${authority.issuer}/request`, {
    client_id: 'budget-app',
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'accounts:read',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
    ...parameters,
  });
}

describe('RFC 9126 pushed authorization requests', () => {
  it('section 2: the pushed request counts, and the browser carries no parameter', async () => {
    const client = await discoverAs(authority, 'careful-app');
    const request = await push(client, 'accounts:read');
    expect([...request.url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    const { callbackUrl } = await new BrowserlessPerson().follow(request.url, ALMA);
    const tokens = await exchange(client, callbackUrl, request);
    expect(claimsOf(tokens)).toMatchObject({ client_id: 'careful-app', scope: 'accounts:read' });
  });

  it('section 4: parameters beside the request_uri change nothing', async () => {
    const client = await discover(authority);
    const request = await push(client, 'accounts:read');
    request.url.searchParams.set('scope', 'accounts:read payments:write');
    const { callbackUrl, pages } = await new BrowserlessPerson().follow(request.url, ALMA);
    expect(pages.map(({ markup }) => markup).join()).not.toContain('payments:write');
    expect(claimsOf(await exchange(client, callbackUrl, request)).scope).toBe('accounts:read');
  });

  it('section 2.2: a request_uri works once', async () => {
    const client = await discover(authority);
    const request = await push(client, 'accounts:read');
    const person = new BrowserlessPerson();
    const { callbackUrl } = await person.follow(request.url, ALMA);
    expect(callbackUrl.searchParams.get('code')).not.toBeNull();
    const again = await person.follow(request.url, ALMA);
    expect(again.callbackUrl.searchParams.get('error')).toBe('invalid_request_uri');
    expect(again.callbackUrl.searchParams.get('code')).toBeNull();
  });

  it('section 2.2: a request_uri works only for the client that pushed it', async () => {
    const request = await push(await discover(authority), 'accounts:read');
    request.url.searchParams.set('client_id', 'careful-app');
    const { callbackUrl, pages } = await new BrowserlessPerson().follow(request.url, ALMA);
    expect(pages).toEqual([]);
    expect(callbackUrl.searchParams.get('error')).toBe('invalid_request_object');
  });

  it('section 6: a client that must push is refused without', async () => {
    const verifier = oidc.randomPKCECodeVerifier();
    const url = oidc.buildAuthorizationUrl(await discoverAs(authority, 'careful-app'), {
      redirect_uri: REDIRECT_URI,
      scope: 'accounts:read',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const response = await fetch(url, { redirect: 'manual' });
    const location = new URL(response.headers.get('location') ?? '');
    expect(location.searchParams.get('error')).toBe('invalid_request');
    expect(location.searchParams.get('error_description')).toBe('Pushed Authorization Request must be used');
  });

  it('section 2.1: a confidential client authenticates to push', async () => {
    const secret = `Basic ${Buffer.from('bank-console:wrong').toString('base64')}`;
    const answer = await post(
      `${authority.issuer}/request`,
      { response_type: 'code', redirect_uri: REDIRECT_URI, scope: 'consents:read' },
      { authorization: secret },
    );
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  const within = 'urn:ietf:params:oauth:request_uri:x';
  it.each([
    ['section 2.1: a request_uri within', { request_uri: within }, 'request_uri_not_supported'],
    ['RFC 9700 section 2.1.1: no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['RFC 9700 section 2.1.1: PKCE method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['another redirect address', { redirect_uri: 'https://thief.example/callback' }, 'invalid_request'],
    ['RFC 9700 section 2.1.2: implicit grant', { response_type: 'token' }, 'unsupported_response_type'],
  ])('%s is refused when it is pushed', async (_, parameters, error) => {
    const { status, body } = await pushed(parameters);
    expect({ status, error: body['error'] }).toEqual({ status: 400, error });
    expect(body['request_uri']).toBeUndefined();
  });

  it('the same request without the fault is accepted', async () => {
    expect((await pushed({})).status).toBe(201);
  });
});

describe('RFC 9207 issuer identification', () => {
  it('section 2: the response names its issuer, and a real client checks it', async () => {
    const client = await discover(authority);
    const request = await push(client, 'accounts:read');
    const { callbackUrl } = await new BrowserlessPerson().follow(request.url, ALMA);
    expect(callbackUrl.searchParams.get('iss')).toBe(authority.issuer);
    const mixedUp = new URL(callbackUrl);
    mixedUp.searchParams.set('iss', 'https://honest.example');
    await expect(exchange(client, mixedUp, request)).rejects.toThrow();
    const withoutIssuer = new URL(callbackUrl);
    withoutIssuer.searchParams.delete('iss');
    await expect(exchange(client, withoutIssuer, request)).rejects.toThrow();
    expect((await exchange(client, callbackUrl, request)).access_token).not.toBe('');
  });

  it('section 2: an error response names it, too', async () => {
    const request = await push(await discover(authority), 'payments:write');
    const { callbackUrl } = await new BrowserlessPerson().follow(request.url, { ...ALMA, decide: 'refuse' });
    expect(Object.fromEntries(callbackUrl.searchParams)).toMatchObject({
      error: 'access_denied',
      iss: authority.issuer,
    });
  });
});
