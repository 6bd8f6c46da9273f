import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SuspensionRegister } from '../../authority/consent/suspensions.js';
import {
  ALMA,
  ALMA_SUBJECT,
  application,
  claimsOf,
  client,
  clientKey,
  type ClientKey,
  connect,
  discoverAs,
  nextSecond,
  post,
  withClients,
} from './oauth-setup.js';
import { discover, startTestAuthority, type TestAuthority } from './setup.js';

const BY_ADMIN = { by: 'admin-iris', initiator: 'admin' } as const;
const INACTIVE = { active: false };

let authority: TestAuthority;
let key: ClientKey;
let ledger: oidc.Configuration;
beforeAll(async () => {
  key = await clientKey();
  const { authentication } = key;
  authority = await startTestAuthority(
    withClients(
      [
        client('ledger', { authentication, introspection: true }),
        client('statements', {
          authentication,
          clientCredentials: { scopes: ['profile:read'] },
          exchange: { from: ['budget-app'] },
        }),
        application('careful-app', { senderConstraint: 'dpop' }),
      ],
      {
        statements: { scopes: ['profile:read', 'accounts:read'] },
        'careful-app': { scopes: ['accounts:read'] },
      },
    ),
  );
  ledger = await discoverAs(authority, 'ledger', key);
});
afterAll(() => authority.close());

async function token(scope = 'accounts:read') {
  return connect(await discover(authority), scope);
}

describe('RFC 7662 introspection', () => {
  it('section 2.2: tells a resource server what a token means', async () => {
    const tokens = await token();
    const claims = claimsOf(tokens);
    expect(await oidc.tokenIntrospection(ledger, tokens.access_token)).toMatchObject({
      active: true,
      token_type: 'Bearer',
      scope: 'accounts:read',
      client_id: 'budget-app',
      sub: ALMA_SUBJECT,
      iss: authority.issuer,
      aud: claims.aud,
      exp: claims.exp,
      jti: claims.jti,
      consent: claims.consent,
    });
  });

  it('RFC 9449 section 6.2: names the key that the token is bound to', async () => {
    const careful = await discoverAs(authority, 'careful-app');
    const DPoP = oidc.getDPoPHandle(careful, await oidc.randomDPoPKeyPair('ES256'));
    const tokens = await connect(careful, 'accounts:read', ALMA, { DPoP });
    expect(await oidc.tokenIntrospection(ledger, tokens.access_token)).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: claimsOf(tokens).cnf?.jkt },
    });
  });

  it('section 2.1: tells nothing without authentication', async () => {
    const { access_token: value } = await token();
    const url = `${authority.issuer}/token/introspection`;
    expect(await post(url, { token: value })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
    expect(await post(url, { token: value, client_id: 'ledger' })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    const other = await discoverAs(authority, 'ledger', await clientKey());
    await expect(oidc.tokenIntrospection(other, value)).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('section 4: tells nothing to clients, not even about their own tokens', async () => {
    const { access_token: value } = await token();
    const statements = await discoverAs(authority, 'statements', key);
    const budget = await discover(authority);
    expect(await oidc.tokenIntrospection(statements, value)).toEqual(INACTIVE);
    expect(await oidc.tokenIntrospection(budget, value)).toEqual(INACTIVE);
  });

  it('section 2.2: calls a non-token, a changed and a refresh token inactive', async () => {
    const tokens = await token();
    const [header = '', payload = '', signature = ''] = tokens.access_token.split('.');
    const changed = `${header}.${payload}.${signature.slice(0, -4)}AAAA`;
    for (const value of ['none', changed, tokens.refresh_token ?? '', `${header}.e30.${signature}`]) {
      expect(await oidc.tokenIntrospection(ledger, value)).toEqual(INACTIVE);
    }
  });
});

describe('a token is inactive', () => {
  async function isActive(value: string): Promise<boolean> {
    return (await oidc.tokenIntrospection(ledger, value)).active;
  }

  it('when its consent was revoked', async () => {
    const tokens = await token();
    expect(await isActive(tokens.access_token)).toBe(true);
    await authority.consents.revokeConsent(claimsOf(tokens).consent?.id ?? '', BY_ADMIN);
    expect(await isActive(tokens.access_token)).toBe(false);
  });

  it('when the person’s sessions ended, unlike later tokens', async () => {
    const tokens = await token();
    await authority.consents.revokeSubjectSessions(ALMA_SUBJECT, BY_ADMIN);
    expect(await isActive(tokens.access_token)).toBe(false);
    await nextSecond();
    expect(await isActive((await token()).access_token)).toBe(true);
  });

  it('when its client was revoked, also for the client’s own token', async () => {
    const statements = await discoverAs(authority, 'statements', key);
    const tokens = await oidc.clientCredentialsGrant(statements, { scope: 'profile:read' });
    expect(await isActive(tokens.access_token)).toBe(true);
    await authority.consents.revokeClient('statements', BY_ADMIN);
    expect(await isActive(tokens.access_token)).toBe(false);
    await nextSecond();
  });

  it.each(['budget-app', 'statements'])(
    'decision 0012: when either client of an exchanged token was revoked: %s',
    async (revoked) => {
      const statements = await discoverAs(authority, 'statements', key);
      const exchanged = await oidc.genericGrantRequest(
        statements,
        'urn:ietf:params:oauth:grant-type:token-exchange',
        {
          subject_token: (await token()).access_token,
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        },
      );
      expect(await oidc.tokenIntrospection(ledger, exchanged.access_token)).toMatchObject({
        active: true,
        act: { sub: 'statements' },
      });
      await authority.consents.revokeClient(revoked, BY_ADMIN);
      expect(await isActive(exchanged.access_token)).toBe(false);
      await nextSecond();
    },
  );

  it('only while its client is suspended', async () => {
    const suspensions = new SuspensionRegister(authority.database.db);
    const stop = { by: 'admin-iris', reason: 'an incident' };
    const tokens = await token();
    for (const target of [{ kind: 'client', clientId: 'budget-app' }, { kind: 'everything' }] as const) {
      await suspensions.suspend(target, stop);
      expect(await isActive(tokens.access_token)).toBe(false);
      await suspensions.resume(target, stop);
      expect(await isActive(tokens.access_token)).toBe(true);
    }
  });

  it('a stopped scope is omitted', async () => {
    const suspensions = new SuspensionRegister(authority.database.db);
    const stop = { by: 'admin-iris', reason: 'an incident' };
    const tokens = await token('accounts:read profile:read');
    await suspensions.suspend({ kind: 'scope', scope: 'profile:read' }, stop);
    const answer = await oidc.tokenIntrospection(ledger, tokens.access_token);
    expect(answer).toMatchObject({ active: true, scope: 'accounts:read' });
    await suspensions.resume({ kind: 'scope', scope: 'profile:read' }, stop);
  });

  it('a revocation of somebody else changes nothing', async () => {
    const tokens = await token();
    await authority.consents.revokeClient('bank-console', BY_ADMIN);
    await authority.consents.revokeSubjectSessions('c-000002', BY_ADMIN);
    expect(await isActive(tokens.access_token)).toBe(true);
  });
});
