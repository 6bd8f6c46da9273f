import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SuspensionRegister } from '../../authority/consent/suspensions.js';
import {
  ALMA_SUBJECT,
  claimsOf,
  client,
  clientKey,
  type ClientKey,
  discoverAs,
  post,
  withClients,
} from './oauth-setup.js';
import { startTestAuthority, type TestAuthority } from './setup.js';

let authority: TestAuthority;
let key: ClientKey;
let service: oidc.Configuration;
beforeAll(async () => {
  key = await clientKey();
  authority = await startTestAuthority(
    withClients(
      [
        client('statements', {
          authentication: key.authentication,
          clientCredentials: { scopes: ['profile:read', 'accounts:read'] },
        }),
      ],
      {
        statements: {
          scopes: ['profile:read', 'accounts:read', 'transactions:read'],
          purposes: ['budgeting'],
        },
      },
    ),
  );
  service = await discoverAs(authority, 'statements', key);
});
afterAll(() => authority.close());

function ask(scope?: string, more: Record<string, string> = {}) {
  return oidc.clientCredentialsGrant(service, { ...(scope === undefined ? {} : { scope }), ...more });
}

describe('RFC 6749 section 4.4 client credentials', () => {
  it('give a token of the client without person, consent, purpose or refresh token', async () => {
    const tokens = await ask('profile:read');
    const claims = claimsOf(tokens);
    expect(claims).toMatchObject({ sub: 'statements', client_id: 'statements', scope: 'profile:read' });
    expect(claims.consent).toBeUndefined();
    expect(Object.keys(claims).sort()).toEqual([
      'aud',
      'client_id',
      'exp',
      'iat',
      'iss',
      'jti',
      'scope',
      'status',
      'sub',
    ]);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(300);
    expect(tokens.refresh_token).toBeUndefined();
  });

  it.each([
    ['registered, but in the policy for people only', 'transactions:read'],
    ['neither registered nor in the policy', 'payments:write'],
    ['reserved to administrators', 'consents:admin'],
    ['in part permitted', 'profile:read payments:write'],
    ['missing', undefined],
    ['unknown', 'everything'],
  ])('section 5.2: a scope that is %s is an invalid_scope', async (_, scope) => {
    await expect(ask(scope)).rejects.toMatchObject({ error: 'invalid_scope' });
  });

  it('RFC 9396: give no authorization_details, which nobody granted', async () => {
    const details = JSON.stringify([{ type: 'behalf_access', purposes: ['budgeting'] }]);
    const attempt = ask('profile:read', { authorization_details: details });
    await expect(attempt).rejects.toMatchObject({ error: 'invalid_authorization_details' });
  });

  it('RFC 8707: are for the registered API only', async () => {
    const attempt = ask('profile:read', { resource: 'https://other.example' });
    await expect(attempt).rejects.toMatchObject({ error: 'invalid_target' });
  });

  it('section 4.4: are refused to public and unregistered clients', async () => {
    const form = { grant_type: 'client_credentials', scope: 'accounts:read', client_id: 'budget-app' };
    const { status, body } = await post(`${authority.issuer}/token`, form);
    expect({ status, error: body['error'] }).toEqual({ status: 400, error: 'invalid_request' });
  });

  it('are refused to a suspended client, until it is resumed', async () => {
    const suspensions = new SuspensionRegister(authority.database.db);
    const stop = { by: 'admin-iris', reason: 'an incident' };
    const target = { kind: 'client', clientId: 'statements' } as const;
    await suspensions.suspend(target, stop);
    await expect(ask('profile:read')).rejects.toMatchObject({ error: 'unauthorized_client' });
    await suspensions.resume(target, stop);
    expect((await ask('profile:read')).access_token).not.toBe('');
  });

  it('are refused if the client’s id is a person’s subject', async () => {
    const row = {
      subject: 'statements',
      username: 'mallory',
      display_name: 'Mallory',
      password_hash: '',
      roles: [],
      policies: [],
      demo: false,
    };
    await authority.database.db.insertInto('authority.account').values(row).execute();
    await expect(ask('profile:read')).rejects.toMatchObject({ error: 'invalid_grant' });
    await authority.database.db.deleteFrom('authority.account').where('subject', '=', 'statements').execute();
    expect((await ask('profile:read')).access_token).not.toBe('');
  });
});

describe('an impossible or forbidden registration stops the start', () => {
  const policies = { odd: { scopes: ['profile:read'] } };
  const scopes = ['profile:read'];

  it.each([
    [
      'with the id of a person',
      () => client(ALMA_SUBJECT, { authentication: key.authentication, introspection: true }),
    ],
    ['without authentication', () => client('odd', { clientCredentials: { scopes } })],
    [
      'for a scope beyond its entry in the policy',
      () =>
        client('odd', {
          authentication: key.authentication,
          clientCredentials: { scopes: ['payments:write'] },
        }),
    ],
    [
      'that exchanges tokens, without naming clients',
      () => client('odd', { authentication: key.authentication, exchange: { from: [] } }),
    ],
    [
      'that exchanges its own tokens',
      () => client('odd', { authentication: key.authentication, exchange: { from: ['odd'] } }),
    ],
    [
      'that exchanges without an end',
      () =>
        client('odd', { authentication: key.authentication, exchange: { from: ['budget-app'], depth: 9 } }),
    ],
    [
      'with certificates, which nothing here accepts',
      () =>
        client('odd', {
          authentication: { method: 'tls_client_auth', dnsName: 'odd.example' },
          clientCredentials: { scopes },
        }),
    ],
    [
      'under a name that is taken',
      () => client('budget-app', { authentication: key.authentication, introspection: true }),
    ],
    ['that can do nothing', () => client('odd', { authentication: key.authentication })],
    [
      'with its private key',
      () =>
        client('odd', {
          authentication: {
            method: 'private_key_jwt',
            jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }] },
          },
          introspection: true,
        }),
    ],
    [
      'with an invalid key',
      () =>
        client('odd', {
          authentication: { method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } },
          introspection: true,
        }),
    ],
  ])('%s', async (_, registration) => {
    const { issuer } = authority;
    const attempt = authority.restart(withClients([registration()], policies));
    await expect(attempt).rejects.toMatchObject({ name: 'AuthorityError', code: 'CLIENT_INVALID' });
    await expect(fetch(issuer)).rejects.toThrow();
  });
});
