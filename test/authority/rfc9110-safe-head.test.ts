import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';

import { BrowserlessPerson } from '../support/person.js';
import { ALMA } from './oauth-setup.js';
import {
  authorizationRequest,
  discover,
  exchange,
  REDIRECT_URI,
  startTestAuthority,
  type TestAuthority,
} from './setup.js';

// RFC 9110 section 9.2.1: HEAD is safe. Link checkers and mail scanners send it before a browser sends GET.

let authority: TestAuthority;
/** What HEAD was answered, by path. */
const heads: { readonly path: string; readonly status: number }[] = [];
beforeAll(async () => {
  authority = await startTestAuthority();
});
afterAll(() => authority.close());

beforeEach(() => {
  heads.length = 0;
  const { fetch } = globalThis;
  // Each GET of the person is sent as HEAD first, with the same cookies.
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const isPage = new Headers(init?.headers).get('accept') === 'text/html';
    if (isPage && (init?.method ?? 'GET') === 'GET') {
      const { status, headers } = await fetch(input, { ...init, method: 'HEAD' });
      expect(headers.get('cache-control')).toBe('no-store');
      heads.push({ path: new URL(input instanceof Request ? input.url : input).pathname, status });
    }
    return fetch(input, init);
  });
});
afterEach(() => vi.restoreAllMocks());

it('HEAD at every page on the way uses up nothing', async () => {
  const client = await discover(authority);
  const request = await authorizationRequest(client, 'accounts:read');
  const { callbackUrl } = await new BrowserlessPerson().follow(request.url, ALMA);
  expect((await exchange(client, callbackUrl, request)).scope).toBe('accounts:read');
  const ways = heads.filter(({ path }) => /^\/auth\/./.test(path));
  expect(ways.length).toBeGreaterThanOrEqual(1);
  expect(ways.every(({ status }) => status === 200)).toBe(true);
});

it('HEAD does not use up a pushed request, also of a person who is not asked again', async () => {
  const client = await discover(authority);
  const person = new BrowserlessPerson();
  for (let visit = 0; visit < 2; visit += 1) {
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const url = await oidc.buildAuthorizationUrlWithPAR(client, {
      redirect_uri: REDIRECT_URI,
      scope: 'accounts:read',
      state,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const { callbackUrl } = await person.follow(url, ALMA);
    const tokens = await exchange(client, callbackUrl, { url, verifier, state });
    expect(tokens.scope).toBe('accounts:read');
  }
});
