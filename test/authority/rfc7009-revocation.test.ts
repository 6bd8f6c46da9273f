import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  changes,
  claimsOf,
  client,
  clientKey,
  type ClientKey,
  connect,
  discoverAs,
  nextSecond,
  NOOR,
  post,
  withClients,
} from './oauth-setup.js';
import { discover, startTestAuthority, type TestAuthority } from './setup.js';

const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

let authority: TestAuthority;
let key: ClientKey;
let ledger: oidc.Configuration;
let statements: oidc.Configuration;
beforeAll(async () => {
  key = await clientKey();
  const { authentication } = key;
  authority = await startTestAuthority(
    withClients(
      [
        client('ledger', { authentication, introspection: true }),
        client('statements', { authentication, exchange: { from: ['budget-app'] } }),
      ],
      { statements: { scopes: ['accounts:read'] } },
    ),
  );
  ledger = await discoverAs(authority, 'ledger', key);
  statements = await discoverAs(authority, 'statements', key);
});
afterAll(() => authority.close());

async function isActive(value: string): Promise<boolean> {
  return (await oidc.tokenIntrospection(ledger, value)).active;
}

async function exchanged(value: string) {
  return oidc.genericGrantRequest(statements, 'urn:ietf:params:oauth:grant-type:token-exchange', {
    subject_token: value,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
}

describe('RFC 7009 revocation of a refresh token', () => {
  it('section 2.1: ends every token of its consent; the consent stands', async () => {
    const budget = await discover(authority);
    const tokens = await connect(budget, 'accounts:read');
    const other = await connect(budget, 'accounts:read');
    const derived = await exchanged(tokens.access_token);
    const noors = await connect(budget, 'accounts:read', NOOR);

    await oidc.tokenRevocation(budget, tokens.refresh_token ?? '');

    for (const value of [tokens.refresh_token, other.refresh_token]) {
      await expect(oidc.refreshTokenGrant(budget, value ?? '')).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    }
    for (const { access_token: value } of [tokens, other, derived]) expect(await isActive(value)).toBe(false);
    expect((await changes(authority)).at(-1)).toMatchObject({
      kind: SESSION_REVOKED,
      members: { subject: 'c-000001', clientId: 'budget-app' },
      initiator: 'policy',
    });
    expect(await isActive(noors.access_token)).toBe(true);
    const consentId = claimsOf(tokens).consent?.id ?? '';
    expect(await authority.consents.find(consentId)).toMatchObject({ status: 'active' });
    await nextSecond();
    const again = await connect(budget, 'accounts:read');
    expect(claimsOf(again).consent?.id).toBe(consentId);
    expect(await isActive(again.access_token)).toBe(true);
  });

  it('section 2.1: is refused to another client, and ends nothing', async () => {
    const budget = await discover(authority);
    const tokens = await connect(budget, 'accounts:read');
    const attempt = oidc.tokenRevocation(statements, tokens.refresh_token ?? '');
    await expect(attempt).rejects.toMatchObject({ error: 'invalid_request' });
    expect((await oidc.refreshTokenGrant(budget, tokens.refresh_token ?? '')).access_token).not.toBe('');
  });
});

describe('RFC 7009 revocation of an access token', () => {
  it('section 2.1: ends that token at every gateway, and is announced once', async () => {
    const budget = await discover(authority);
    const tokens = await connect(budget, 'accounts:read');
    const other = await connect(budget, 'accounts:read');
    const before = (await changes(authority)).length;
    for (let count = 0; count < 3; count++) await oidc.tokenRevocation(budget, tokens.access_token);
    const said = (await changes(authority)).slice(before);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatchObject({
      kind: SESSION_REVOKED,
      members: { tokenId: claimsOf(tokens).jti },
      reason: 'revoked by its client',
    });
    expect(await isActive(tokens.access_token)).toBe(false);
    expect(await isActive(other.access_token)).toBe(true);
    expect((await oidc.refreshTokenGrant(budget, tokens.refresh_token ?? '')).access_token).not.toBe('');
  });

  it('prevents the exchange of the revoked token', async () => {
    const budget = await discover(authority);
    const tokens = await connect(budget, 'accounts:read');
    await oidc.tokenRevocation(budget, tokens.access_token);
    await expect(exchanged(tokens.access_token)).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('is for an exchanged token’s holder, not for its original client', async () => {
    const budget = await discover(authority);
    const derived = await exchanged((await connect(budget, 'accounts:read')).access_token);
    const attempt = oidc.tokenRevocation(budget, derived.access_token);
    await expect(attempt).rejects.toMatchObject({ error: 'invalid_request' });
    expect(await isActive(derived.access_token)).toBe(true);
    await oidc.tokenRevocation(statements, derived.access_token);
    expect(await isActive(derived.access_token)).toBe(false);
  });

  it('section 2.2: answers alike for what is not a token', async () => {
    const before = (await changes(authority)).length;
    const budget = await discover(authority);
    const [header = '', , signature = ''] = (await connect(budget, 'accounts:read')).access_token.split('.');
    await oidc.tokenRevocation(budget, 'none');
    await oidc.tokenRevocation(budget, `${header}.e30.${signature}`);
    expect(await changes(authority)).toHaveLength(before);
  });

  it('section 2.1: is refused without authentication', async () => {
    const tokens = await connect(await discover(authority), 'accounts:read');
    const url = `${authority.issuer}/token/revocation`;
    const answer = await post(url, { token: tokens.access_token, client_id: 'statements' });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await isActive(tokens.access_token)).toBe(true);
  });
});
