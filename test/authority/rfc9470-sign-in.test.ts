import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { BrowserlessPerson } from '../support/person.js';
import { authorizationRequest, discover, exchange, startTestAuthority, type TestAuthority } from './setup.js';

const ALMA = { user: 'alma', password: 'alma-demo' };
const PASSWORD = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority();
});
afterAll(() => authority.close());

interface SignIn {
  readonly acr?: string;
  readonly auth_time?: number;
}

it('RFC 9470: tokens state the sign-in, and max_age asks for the password', async () => {
  const client = await discover(authority);
  expect(client.serverMetadata().acr_values_supported).toEqual([PASSWORD]);
  const person = new BrowserlessPerson();
  const come = async (more: Record<string, string> = {}) => {
    const request = await authorizationRequest(client, 'openid accounts:read', more);
    const { callbackUrl, pages } = await person.follow(request.url, ALMA);
    const tokens = await exchange(client, callbackUrl, request);
    return { tokens, pages: pages.length, ...decodeJwt<SignIn>(tokens.access_token) };
  };
  const before = Math.floor(Date.now() / 1000);
  const first = await come();
  expect(first).toMatchObject({ pages: 2, acr: PASSWORD });
  expect(first.auth_time).toBeGreaterThanOrEqual(before);

  // As if that had been a minute ago.
  await sql`update authority.oidc_payload set payload = jsonb_set(payload, '{loginTs}', to_jsonb((payload->>'loginTs')::int - 60))
    where model = 'Session'`.execute(authority.database.db);
  const earlier = (first.auth_time ?? Infinity) - 60;
  const again = await come({ max_age: '900', acr_values: PASSWORD });
  expect(again).toMatchObject({ pages: 0, acr: PASSWORD, auth_time: earlier });

  const stepped = await come({ max_age: '30' });
  expect(stepped.pages).toBe(1);
  expect(stepped.auth_time).toBeGreaterThan(earlier);

  const refreshed = await oidc.refreshTokenGrant(client, first.tokens.refresh_token ?? '');
  expect(decodeJwt<SignIn>(refreshed.access_token)).toMatchObject({
    acr: PASSWORD,
    auth_time: first.auth_time,
  });
});
