import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { post } from './oauth-setup.js';
import { REDIRECT_URI, startTestAuthority, type TestAuthority } from './setup.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority();
});
afterAll(() => authority.close());

const REQUEST = {
  client_id: 'budget-app',
  response_type: 'code',
  redirect_uri: REDIRECT_URI,
  scope: 'accounts:read',
  code_challenge: 'x'.repeat(43),
  code_challenge_method: 'S256',
};

describe('a NUL character, which PostgreSQL cannot hold, makes an invalid request', () => {
  it.each(['client_id', 'state', 'nonce', 'scope', 'login_hint', 'request_uri'])(
    'at the authorization endpoint: %s',
    async (name) => {
      const query = new URLSearchParams({ ...REQUEST, [name]: 'a\0b' });
      const { status } = await fetch(`${authority.issuer}/auth?${query.toString()}`, { redirect: 'manual' });
      expect(status).toBeLessThan(500);
    },
  );

  it.each(['client_id', 'state', 'nonce', 'scope', 'login_hint'])(
    'at the pushed authorization request endpoint: %s',
    async (name) => {
      const { status } = await post(`${authority.issuer}/request`, { ...REQUEST, [name]: 'a\0b' });
      expect(status).toBeLessThan(500);
    },
  );

  it.each(['client_id', 'code', 'refresh_token'])('at the token endpoint: %s', async (name) => {
    const grant = name === 'refresh_token' ? 'refresh_token' : 'authorization_code';
    const { status } = await post(`${authority.issuer}/token`, {
      grant_type: grant,
      client_id: 'budget-app',
      code: 'x',
      redirect_uri: REDIRECT_URI,
      [name]: 'a\0b',
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it('in the path of a page', async () => {
    const { status } = await fetch(`${authority.issuer}/interaction/a%00b`);
    expect(status).toBeLessThan(500);
  });
});
