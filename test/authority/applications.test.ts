import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { secretDigest } from '../../authority/clients/secret.js';
import { type Authority, startAuthority } from '../../authority/index.js';
import { ApplicationRegister } from '../../authority/internal.js';
import { checkPolicy } from '../../policy/index.js';
import { signInAndConsent } from '../support/person.js';
import {
  AUDIENCE,
  authorizationRequest,
  exchange,
  OVER_LOOPBACK,
  POLICY_FILE,
  REDIRECT_URI,
  startTestAuthority,
  STREAM_SECRET,
  type TestAuthority,
  withPolicy,
  withDemo,
} from './setup.js';
import { consentTerms } from '../support/consent-terms.js';

const ALMA = { user: 'alma', password: 'alma-demo' };
const ENCRYPTION_KEY = new Uint8Array(32).fill(9);
const CEILING = { scopes: ['accounts:read'], purposes: ['budgeting'] };
const POLICY = checkPolicy({
  ...POLICY_FILE,
  clients: {
    ...POLICY_FILE.clients,
    ...Object.fromEntries(['ledger', 'ledger-web', 'moving', 'ending', 'racing'].map((id) => [id, CEILING])),
  },
});
const BY = { by: 'admin-iris', policy: POLICY };
const LEDGER = {
  displayName: 'Ledger',
  owner: 'Ledger & Sons',
  contact: 'mailto:help@ledger.example',
  homePage: 'https://ledger.example',
  redirectUris: ['http://127.0.0.1/callback'],
};

let first: TestAuthority;
let second: Authority;
let applications: ApplicationRegister;
beforeAll(async () => {
  first = await startTestAuthority({ ...withPolicy(POLICY), encryptionKey: ENCRYPTION_KEY });
  second = await startAuthority({
    ...withPolicy(POLICY),
    port: 0,
    databaseUrl: first.database.url,
    encryptionKey: ENCRYPTION_KEY,
    audience: AUDIENCE,
    ...withDemo({}),
    streamSecret: STREAM_SECRET,
  });
  applications = new ApplicationRegister(first.database.db);
});
afterAll(async () => {
  await second.close();
  await first.close();
});

async function connect(issuer: string, clientId: string, secret?: string) {
  const authentication = secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret);
  const client = await oidc.discovery(new URL(issuer), clientId, undefined, authentication, OVER_LOOPBACK);
  const request = await authorizationRequest(client, 'accounts:read');
  const { callbackUrl, pages } = await signInAndConsent({ authorizationUrl: request.url, ...ALMA });
  return { client, page: pages.at(-1)?.markup ?? '', get: () => exchange(client, callbackUrl, request) };
}

async function statusOf(issuer: string, clientId: string, redirectUri = REDIRECT_URI): Promise<number> {
  const url = new URL(`${issuer}/auth`);
  url.search = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'accounts:read',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  }).toString();
  return (await fetch(url, { redirect: 'manual' })).status;
}

describe('a registered application', () => {
  it('is known to every instance immediately, with owner and contact on the page', async () => {
    expect(await statusOf(second.issuer, 'ledger')).toBe(400);
    const { secret } = await applications.register('ledger', LEDGER, { ...BY, confidential: false });
    expect(secret).toBeUndefined();
    for (const issuer of [first.issuer, second.issuer]) {
      const { get, page } = await connect(issuer, 'ledger');
      if (issuer === first.issuer) {
        expect(page.replace(/\s+/g, ' ')).toContain('Ledger is run by Ledger &amp; Sons.');
        expect(page).toContain('href="mailto:help@ledger.example"');
        expect(page).toContain('href="https://ledger.example"');
      }
      expect(await get()).toHaveProperty('access_token');
    }
  });

  it('authenticates by its secret, of which only a digest is stored', async () => {
    const { secret = '' } = await applications.register('ledger-web', LEDGER, { ...BY, confidential: true });
    expect(secret).toMatch(/^[\w-]{43}$/);
    const right = await connect(first.issuer, 'ledger-web', secret);
    const { access_token: accessToken, refresh_token: refreshToken = '' } = await right.get();
    // RFC 7009, for which the authority must authenticate the client.
    await oidc.tokenRevocation(right.client, accessToken);
    const revoked = await first.database.db.selectFrom('authority.change_event').selectAll().execute();
    expect(revoked.at(-1)?.reason).toBe('revoked by its client');
    expect(await oidc.refreshTokenGrant(right.client, refreshToken)).toHaveProperty('access_token');
    // A copy of the store reveals only the digest, and omitting the secret does not make the client public.
    for (const wrong of [secretDigest(secret), `${secret}x`, undefined]) {
      const { get } = await connect(second.issuer, 'ledger-web', wrong);
      await expect(get()).rejects.toMatchObject({ status: 401 });
    }
    const { db } = first.database;
    const stored = [
      await db.selectFrom('authority.application').selectAll().execute(),
      await db.selectFrom('authority.application_event').selectAll().execute(),
    ];
    expect(JSON.stringify(stored)).not.toContain(secret);
    expect(first.logged.join('\n')).not.toContain(secret);
  });

  it('can change its redirect address, which replaces the old one', async () => {
    await applications.register('moving', LEDGER, { ...BY, confidential: false });
    const moved = 'https://ledger.example/back';
    await applications.change('moving', { ...LEDGER, redirectUris: [moved] }, BY);
    expect(await statusOf(first.issuer, 'moving')).toBe(400);
    expect(await statusOf(first.issuer, 'moving', moved)).toBe(303);
    for (const near of [
      `${moved}/`,
      `${moved}?x=1`,
      'https://ledger.example:8443/back',
      'https://ledger.example',
    ]) {
      expect(await statusOf(first.issuer, 'moving', near)).toBe(400);
    }
    const change = applications.change('racing', LEDGER, BY);
    await expect(change).rejects.toMatchObject({ code: 'CLIENT_UNKNOWN' });
  });

  it('is unknown once retired, ends with its tokens, and is never reused', async () => {
    await applications.register('ending', LEDGER, { ...BY, confidential: false });
    const { client, get } = await connect(first.issuer, 'ending');
    const { refresh_token: refreshToken = '' } = await get();
    const underWay = await connect(first.issuer, 'ending');
    const consent = await first.consents.findActive('c-000001', 'ending');

    const { change, ended } = await applications.retire('ending', { by: 'admin-iris', reason: 'gone rogue' });
    expect(ended.map(({ id }) => id)).toEqual([consent?.id]);
    const event = await first.database.db
      .selectFrom('authority.change_event')
      .selectAll()
      .where('seq', '=', change?.seq ?? 0)
      .executeTakeFirst();
    expect(event).toMatchObject({
      members: { clientId: 'ending' },
      initiator: 'admin',
      reason: 'gone rogue',
    });
    for (const issuer of [first.issuer, second.issuer]) expect(await statusOf(issuer, 'ending')).toBe(400);
    await expect(oidc.refreshTokenGrant(client, refreshToken)).rejects.toMatchObject({
      error: 'invalid_client',
    });
    await expect(underWay.get()).rejects.toMatchObject({ error: 'invalid_client' });
    // A person had the page open all the time.
    const late = first.consents.grant(consentTerms('c-000001', { clientId: 'ending', purposes: [] }));
    await expect(late).rejects.toThrow('The application is retired');

    const again = applications.register('ending', LEDGER, { ...BY, confidential: false });
    await expect(again).rejects.toMatchObject({ code: 'CLIENT_EXISTS' });
    const twice = applications.retire('ending', { by: 'admin-iris', reason: 'again' });
    await expect(twice).rejects.toMatchObject({ code: 'CLIENT_UNKNOWN' });
    expect(await applications.find('ending')).toMatchObject({ retiredAt: expect.any(Date) as Date });
  });

  it('is registered once by two concurrent calls, and everything is recorded', async () => {
    const attempts = await Promise.allSettled(
      [1, 2].map(() => applications.register('racing', LEDGER, { ...BY, confidential: true })),
    );
    expect(attempts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const events = await first.database.db
      .selectFrom('authority.application_event')
      .select(['client_id', 'event_type', 'entity_id'])
      .where('client_id', 'in', ['ending', 'racing', 'moving'])
      .orderBy('event_id')
      .execute();
    expect(events.map((event) => `${event.client_id} ${event.event_type}`)).toEqual([
      'moving registered',
      'moving changed',
      'ending registered',
      'ending retired',
      'racing registered',
    ]);
    await expect(first.database.db.deleteFrom('authority.application_event').execute()).rejects.toThrow(
      'append-only',
    );
  });
});

describe('is not registered', () => {
  it.each([
    ['a name with a line break in it', { displayName: 'Bank\nOfficial' }],
    ['a name that turns the direction of writing', { displayName: 'Bank \u202Eelif' }],
    ['no name', { displayName: '' }],
    ['no owner', { owner: undefined }],
    ['a contact that would run something', { contact: 'javascript:alert(1)' }],
    ['an unusable contact', { contact: 'call us' }],
    ['a home page without https', { homePage: 'http://ledger.example' }],
    ['no redirect address', { redirectUris: [] }],
    ['an invalid redirect address', { redirectUris: ['/callback'] }],
    ['a wildcard', { redirectUris: ['https://*.ledger.example/back'] }],
    ['a fragment', { redirectUris: ['https://ledger.example/back#x'] }],
    ['a name and password in the address', { redirectUris: ['https://a:b@ledger.example/back'] }],
    ['plain http to elsewhere', { redirectUris: ['http://ledger.example/back'] }],
    ['plain http to a name that may resolve to anything', { redirectUris: ['http://localhost/back'] }],
    ['a scheme that runs something', { redirectUris: ['javascript:alert(1)'] }],
    ['unknown members', { scopes: ['consents:admin'] }],
    ['a secret of its own choice', { secret: 'x' }],
  ])('with %s', async (_, more) => {
    const attempt = applications.register('ledger', { ...LEDGER, ...more }, { ...BY, confidential: false });
    await expect(attempt).rejects.toMatchObject({ name: 'ApplicationError', code: 'CLIENT_INVALID' });
    const change = applications.change('ledger', { ...LEDGER, ...more }, BY);
    await expect(change).rejects.toMatchObject({ code: 'CLIENT_INVALID' });
  });

  it.each(['', 'a b', '*', "x'y", 'x'.repeat(65)])('as "%s"', async (clientId) => {
    const attempt = applications.register(clientId, LEDGER, { ...BY, confidential: false });
    await expect(attempt).rejects.toMatchObject({ code: 'CLIENT_INVALID' });
  });

  it('if the policy does not know it, unless it has * or no clients', async () => {
    const { clients: _, ...none } = POLICY_FILE;
    const everyOther = { ...none, clients: { '*': CEILING } };
    const register = (clientId: string, policy: unknown) =>
      applications.register(clientId, LEDGER, { by: 'x', policy: checkPolicy(policy), confidential: false });
    await expect(register('stranger', POLICY_FILE)).rejects.toMatchObject({ code: 'CLIENT_NOT_IN_POLICY' });
    expect(await applications.find('stranger')).toBeUndefined();
    await register('stranger', everyOther);
    await register('stranger-2', none);
    const change = applications.change('stranger', LEDGER, BY);
    await expect(change).rejects.toMatchObject({ code: 'CLIENT_NOT_IN_POLICY' });
    // A registration grants nothing: the authority's own policy decides that.
    const client = await oidc.discovery(
      new URL(first.issuer),
      'stranger',
      undefined,
      oidc.None(),
      OVER_LOOPBACK,
    );
    const request = await authorizationRequest(client, 'accounts:read');
    const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...ALMA });
    expect(callbackUrl.searchParams.get('error')).toBe('invalid_scope');
  });
});

it('an identifier of the options is not taken over by the store', async () => {
  const policy = checkPolicy({ ...POLICY_FILE });
  await applications.register(
    'budget-app',
    { ...LEDGER, redirectUris: ['https://evil.example/back'] },
    { by: 'x', policy, confidential: false },
  );
  expect(await statusOf(first.issuer, 'budget-app', 'https://evil.example/back')).toBe(400);
  expect(await statusOf(first.issuer, 'budget-app')).toBe(303);
});
