import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { post } from './oauth-setup.js';
import { startTestAuthority, type TestAuthority } from './setup.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority();
});
afterAll(() => authority.close());

// The library deprecates the option that permits plain http, which the tests use on the loopback interface.
const permitHttp = {
  [(oauth as Readonly<Record<string, unknown>>)['allowInsecureRequests'] as symbol]: true,
};

async function metadata(): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(authority.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...permitHttp });
  return oauth.processDiscoveryResponse(issuer, response);
}

describe('RFC 8414 authorization server metadata', () => {
  it('section 3: is at the well-known address, and names this issuer', async () => {
    const { issuer } = authority;
    expect(await metadata()).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      pushed_authorization_request_endpoint: `${issuer}/request`,
      introspection_endpoint: `${issuer}/token/introspection`,
      revocation_endpoint: `${issuer}/token/revocation`,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      authorization_details_types_supported: ['behalf_access'],
    });
  });

  it('section 3.3: a client accepts it from no other issuer', async () => {
    const other = new URL('https://other.example');
    const response = await oauth.discoveryRequest(new URL(authority.issuer), {
      algorithm: 'oauth2',
      ...permitHttp,
    });
    await expect(oauth.processDiscoveryResponse(other, response)).rejects.toThrow();
  });

  it('names only what is on: no device flow, implicit grant or passwords', async () => {
    const found = await metadata();
    expect([...(found.grant_types_supported ?? [])].sort()).toEqual([
      'authorization_code',
      'client_credentials',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ]);
    expect(found.device_authorization_endpoint).toBeUndefined();
    expect(found['registration_endpoint']).toBeUndefined();
    expect(found['tls_client_certificate_bound_access_tokens']).toBeUndefined();
  });

  it('RFC 9700 section 2.5: no signature algorithm is symmetric, or RSASSA-PKCS1-v1_5', async () => {
    const {
      dpop_signing_alg_values_supported: dpop,
      token_endpoint_auth_signing_alg_values_supported: auth,
    } = await metadata();
    expect(dpop).toEqual(['ES256', 'PS256', 'EdDSA', 'Ed25519']);
    expect(auth).toEqual(['ES256', 'PS256', 'EdDSA', 'Ed25519']);
  });

  it('RFC 8628: the device flow is off', async () => {
    const { issuer } = authority;
    const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code';
    expect((await fetch(`${issuer}/device/auth`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${issuer}/device`)).status).toBe(404);
    const answer = await post(`${issuer}/token`, { grant_type: deviceCode, client_id: 'budget-app' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'unsupported_grant_type' } });
  });
});
