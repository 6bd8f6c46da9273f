import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { REFRESH_ABSOLUTE_SECONDS, REFRESH_IDLE_SECONDS } from '../../authority/oidc/lifetimes.js';
import { BrowserlessPerson } from '../support/person.js';
import { ALMA, changes, claimsOf, connect, NOOR, nextSecond, post, REDIRECT_URI } from './oauth-setup.js';
import { authorizationRequest, discover, exchange, startTestAuthority, type TestAuthority } from './setup.js';

const YEAR_SECONDS = 365 * 24 * 3_600;

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority({
    durations: [
      { seconds: 3_600, label: '1 hour' },
      { seconds: 10 * YEAR_SECONDS, label: 'ten years' },
    ],
  });
});
afterAll(() => authority.close());

async function events(consentId: string) {
  return authority.database.db
    .selectFrom('authority.consent_event')
    .selectAll()
    .where('record_id', '=', consentId)
    .orderBy('event_id')
    .execute();
}

const INVALID = { error: 'invalid_grant' };

describe('RFC 9700 section 4.14.2: a reused refresh token', () => {
  it('ends the consent and its tokens, at the authority and every gateway', async () => {
    const client = await discover(authority);
    const stolen = await connect(client, 'accounts:read');
    const elsewhere = await connect(client, 'accounts:read');
    const consentId = claimsOf(stolen).consent?.id ?? '';
    expect(claimsOf(elsewhere).consent?.id).toBe(consentId);
    const honest = await oidc.refreshTokenGrant(client, stolen.refresh_token ?? '');

    await expect(oidc.refreshTokenGrant(client, stolen.refresh_token ?? '')).rejects.toMatchObject(INVALID);

    expect(await authority.consents.find(consentId)).toMatchObject({
      status: 'revoked',
      endedBy: 'authority',
      endedReason: 'refresh token reuse',
    });
    expect((await changes(authority)).at(-1)).toMatchObject({
      kind: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
      members: { consentId, subject: 'c-000001', clientId: 'budget-app' },
      initiator: 'policy',
      reason: 'refresh token reuse',
    });
    expect((await events(consentId)).at(-1)).toMatchObject({
      event_type: 'revoked',
      entity_id: 'authority',
      reason: 'refresh token reuse',
    });
    for (const token of [honest.refresh_token, elsewhere.refresh_token]) {
      await expect(oidc.refreshTokenGrant(client, token ?? '')).rejects.toMatchObject(INVALID);
    }
  });

  it('is announced once, however often it is reused', async () => {
    const client = await discover(authority);
    const tokens = await connect(client, 'accounts:read');
    await oidc.refreshTokenGrant(client, tokens.refresh_token ?? '');
    const before = (await changes(authority)).length;
    for (let count = 0; count < 3; count++) {
      await expect(oidc.refreshTokenGrant(client, tokens.refresh_token ?? '')).rejects.toMatchObject(INVALID);
    }
    expect(await changes(authority)).toHaveLength(before + 1);
  });

  it('ends the consent also when it races with its owner', async () => {
    const client = await discover(authority);
    const tokens = await connect(client, 'accounts:read');
    const consentId = claimsOf(tokens).consent?.id ?? '';
    const attempts = Array.from({ length: 4 }, () =>
      oidc.refreshTokenGrant(client, tokens.refresh_token ?? ''),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    expect(await authority.consents.find(consentId)).toMatchObject({ status: 'revoked' });
    for (const outcome of outcomes) {
      if (outcome.status !== 'fulfilled') continue;
      const next = oidc.refreshTokenGrant(client, outcome.value.refresh_token ?? '');
      await expect(next).rejects.toMatchObject(INVALID);
    }
  });

  it('leaves the consents of other people and clients alone', async () => {
    const client = await discover(authority);
    const noors = await connect(client, 'accounts:read', NOOR);
    const tokens = await connect(client, 'accounts:read');
    await oidc.refreshTokenGrant(client, tokens.refresh_token ?? '');
    await expect(oidc.refreshTokenGrant(client, tokens.refresh_token ?? '')).rejects.toMatchObject(INVALID);
    expect((await oidc.refreshTokenGrant(client, noors.refresh_token ?? '')).access_token).not.toBe('');
  });

  it('section 2.2.2: is refused to another client, and ends nothing', async () => {
    const client = await discover(authority);
    const tokens = await connect(client, 'accounts:read');
    const thief = await discover(authority, 'bank-console');
    await expect(oidc.refreshTokenGrant(thief, tokens.refresh_token ?? '')).rejects.toMatchObject(INVALID);
    expect((await oidc.refreshTokenGrant(client, tokens.refresh_token ?? '')).access_token).not.toBe('');
  });
});

describe('RFC 6749 section 4.1.2: a reused authorization code', () => {
  it('ends its tokens at every gateway; the consent stands', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read');
    const person = new BrowserlessPerson();
    const { callbackUrl } = await person.follow(request.url, ALMA);
    const tokens = await exchange(client, callbackUrl, request);
    const consentId = claimsOf(tokens).consent?.id ?? '';

    await expect(exchange(client, callbackUrl, request)).rejects.toMatchObject(INVALID);

    expect((await changes(authority)).at(-1)).toMatchObject({
      members: { subject: 'c-000001', clientId: 'budget-app' },
      initiator: 'policy',
    });
    expect((await changes(authority)).at(-1)?.members.consentId).toBeUndefined();
    await expect(oidc.refreshTokenGrant(client, tokens.refresh_token ?? '')).rejects.toMatchObject(INVALID);
    expect(await authority.consents.find(consentId)).toMatchObject({ status: 'active' });
    await nextSecond();
    expect(claimsOf(await connect(client, 'accounts:read')).consent?.id).toBe(consentId);
  });

  it('without its verifier ends nothing, so that seeing it harms nobody', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read');
    const { callbackUrl } = await new BrowserlessPerson().follow(request.url, ALMA);
    const tokens = await exchange(client, callbackUrl, request);
    const before = (await changes(authority)).length;
    const answer = await post(`${authority.issuer}/token`, {
      grant_type: 'authorization_code',
      client_id: 'budget-app',
      redirect_uri: REDIRECT_URI,
      code: callbackUrl.searchParams.get('code') ?? '',
      code_verifier: oidc.randomPKCECodeVerifier(),
    });
    expect(answer).toMatchObject({ status: 400, body: INVALID });
    expect(await changes(authority)).toHaveLength(before);
    expect((await oidc.refreshTokenGrant(client, tokens.refresh_token ?? '')).access_token).not.toBe('');
  });
});

describe('RFC 9700 section 4.14.2: refresh tokens expire', () => {
  async function stored(consentId: string) {
    const rows = await authority.database.db
      .selectFrom('authority.oidc_payload')
      .select(['payload', 'expires_at'])
      .where('model', '=', 'RefreshToken')
      .where('grant_id', '=', consentId)
      .where('consumed_at', 'is', null)
      .execute();
    return rows.map(({ payload, expires_at: end }) => ({
      payload: payload as Record<string, unknown>,
      leftSeconds: ((end?.getTime() ?? 0) - Date.now()) / 1_000,
    }));
  }

  it('when unused, and at the latest with the first of their chain', async () => {
    const client = await discover(authority, 'bank-console');
    const tokens = await connect(client, 'consents:read', { ...NOOR, duration: 'ten years' });
    const consentId = claimsOf(tokens).consent?.id ?? '';
    const [fresh] = await stored(consentId);
    expect(fresh?.leftSeconds).toBeGreaterThan(REFRESH_IDLE_SECONDS - 60);
    expect(fresh?.leftSeconds).toBeLessThanOrEqual(REFRESH_IDLE_SECONDS);

    // As if the chain had begun long ago.
    const leftSeconds = 3_600;
    const iiat = Math.floor(Date.now() / 1000) - REFRESH_ABSOLUTE_SECONDS + leftSeconds;
    await authority.database.db
      .updateTable('authority.oidc_payload')
      .set({ payload: JSON.stringify({ ...fresh?.payload, iiat }) })
      .where('model', '=', 'RefreshToken')
      .where('grant_id', '=', consentId)
      .execute();
    await oidc.refreshTokenGrant(client, tokens.refresh_token ?? '');
    const [rotated] = await stored(consentId);
    expect(rotated?.leftSeconds).toBeLessThanOrEqual(leftSeconds);
    expect(rotated?.leftSeconds).toBeGreaterThan(leftSeconds - 60);
  });
});
