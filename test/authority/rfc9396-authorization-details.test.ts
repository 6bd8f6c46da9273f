import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BrowserlessPerson } from '../support/person.js';
import {
  ALMA,
  application,
  claimsOf,
  client,
  clientKey,
  type ClientKey,
  connect,
  discoverAs,
  NOOR,
  post,
  REDIRECT_URI,
  withClients,
} from './oauth-setup.js';
import {
  AUDIENCE,
  authorizationRequest,
  discover,
  exchange,
  startTestAuthority,
  type TestAuthority,
} from './setup.js';

const HOUR = 3_600;
const DAY = 24 * HOUR;
const BOTH = ['budgeting', 'administration'];

let authority: TestAuthority;
let key: ClientKey;
let planner: oidc.Configuration;
beforeAll(async () => {
  key = await clientKey();
  authority = await startTestAuthority({
    ...withClients(
      [
        application('planner', { authorizationDetailsTypes: ['behalf_access'] }),
        application('adviser', { authorizationDetailsTypes: ['behalf_access'] }),
        client('statements', {
          authentication: key.authentication,
          authorizationDetailsTypes: ['behalf_access'],
          exchange: { from: ['planner', 'budget-app'] },
        }),
      ],
      {
        planner: { scopes: ['accounts:read', 'profile:read', 'transactions:read'], purposes: BOTH },
        adviser: { scopes: ['accounts:read', 'profile:read'], purposes: BOTH },
        statements: { scopes: ['accounts:read', 'profile:read', 'payments:write'], purposes: BOTH },
      },
    ),
    durations: [
      { seconds: HOUR, label: '1 hour' },
      { seconds: DAY, label: '1 day' },
    ],
  });
  planner = await discoverAs(authority, 'planner');
});
afterAll(() => authority.close());

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

function details(access: Record<string, unknown>): { authorization_details: string } {
  return { authorization_details: JSON.stringify([{ type: 'behalf_access', ...access }]) };
}

async function ask(access: Record<string, unknown>, scope = '', will: Partial<typeof ALMA> & object = {}) {
  const parameters = { prompt: 'consent', ...details(access) };
  const request = await authorizationRequest(planner, scope, parameters);
  const { callbackUrl, pages } = await new BrowserlessPerson().follow(request.url, { ...ALMA, ...will });
  return { tokens: await exchange(planner, callbackUrl, request), page: pages.at(-1)?.markup ?? '' };
}

function push(authorizationDetails: unknown, clientId = 'planner') {
  return post(`${authority.issuer}/request`, {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'accounts:read',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
    authorization_details:
      typeof authorizationDetails === 'string' ? authorizationDetails : JSON.stringify(authorizationDetails),
  });
}

const INVALID = 'invalid_authorization_details';

describe('RFC 9396: the request', () => {
  it.each<[string, unknown]>([
    ['no JSON', '[{'],
    ['no array', { type: 'behalf_access' }],
    ['another type', [{ type: 'payment_initiation' }]],
    ['no type', [{ scopes: ['accounts:read'] }]],
    ['an unknown member', [{ type: 'behalf_access', purpose: ['budgeting'] }]],
    ['a member of RFC 9396 without a meaning here', [{ type: 'behalf_access', actions: ['read'] }]],
    ['another location', [{ type: 'behalf_access', locations: ['https://other.example'] }]],
    ['a scope beyond its ceiling', [{ type: 'behalf_access', scopes: ['payments:write'] }]],
    ['an unknown scope', [{ type: 'behalf_access', scopes: ['everything'] }]],
    ['an unknown purpose', [{ type: 'behalf_access', purposes: ['marketing'] }]],
    ['scopes that are not a list', [{ type: 'behalf_access', scopes: 'accounts:read' }]],
    ['an empty list of scopes', [{ type: 'behalf_access', scopes: [] }]],
    ['a scope twice', [{ type: 'behalf_access', scopes: ['accounts:read', 'accounts:read'] }]],
    ['an unknown level of detail', [{ type: 'behalf_access', detail: 'most' }]],
    ['an end in the past', [{ type: 'behalf_access', until: 1 }]],
    ['an end in words', [{ type: 'behalf_access', until: '2030-01-01' }]],
    ['two at once', [{ type: 'behalf_access' }, { type: 'behalf_access' }]],
  ])('section 5: %s is refused', async (_, value) => {
    expect(await push(value)).toMatchObject({ status: 400, body: { error: INVALID } });
  });

  it('section 5: a purpose beyond the client’s ceiling is refused', async () => {
    const asked = [{ type: 'behalf_access', purposes: ['administration'] }];
    expect((await push(asked)).status).toBe(201);
    expect(await push(asked, 'budget-app')).toMatchObject({ status: 400, body: { error: INVALID } });
  });

  it('section 10: a client that is not registered for the type is refused', async () => {
    const asked = [{ type: 'behalf_access', scopes: ['accounts:read'] }];
    expect(await push(asked)).toMatchObject({ status: 201 });
    expect(await push(asked, 'budget-app')).toMatchObject({ status: 400, body: { error: INVALID } });
  });
});

describe('RFC 9396: the person’s decision', () => {
  it('shows purposes, detail and duration, and puts them into consent and token', async () => {
    const until = inSeconds(2 * HOUR);
    const asked = { scopes: ['accounts:read'], purposes: ['budgeting'], detail: 'minimal', until };
    const { page, tokens } = await ask(asked);
    expect(page).toContain('To plan your budget');
    expect(page).not.toContain('To administer consents');
    expect(page).not.toContain('value="full"');
    expect([...page.matchAll(/<option value="(\d+)"/g)].map(([, seconds]) => Number(seconds))).toEqual([
      HOUR,
    ]);
    const claims = claimsOf(tokens);
    expect(claims.scope).toBe('accounts:read');
    expect(claims.consent).toMatchObject({ purposes: ['budgeting'], detail: 'minimal' });
    const consent = await authority.consents.find(claims.consent?.id ?? '');
    expect(consent).toMatchObject({ scopes: ['accounts:read'], purposes: ['budgeting'], detail: 'minimal' });
    const granted = {
      type: 'behalf_access',
      locations: [AUDIENCE],
      scopes: ['accounts:read'],
      purposes: ['budgeting'],
      detail: 'minimal',
      until: claims.consent?.until,
    };
    expect(claims.authorization_details).toEqual([granted]);
    // RFC 9396 section 7: the client learns it, too.
    expect((tokens as { authorization_details?: unknown }).authorization_details).toEqual([granted]);
  });

  it('offers a requested duration shorter than every choice', async () => {
    const until = inSeconds(200);
    const { page, tokens } = await ask({ scopes: ['accounts:read'], until });
    expect(page.match(/<option/g)).toHaveLength(1);
    expect(claimsOf(tokens).consent?.until).toBeLessThanOrEqual(until);
    expect(claimsOf(tokens).exp).toBeLessThanOrEqual(until);
  });

  it('cannot be widened in detail by a forged form', async () => {
    const attempt = ask({ scopes: ['accounts:read'], detail: 'minimal' }, '', { detail: 'full' } as object);
    await expect(attempt).rejects.toThrow('Choose how long and how much detail');
  });

  it('combines with `scope`; what the person removes is in neither', async () => {
    const { tokens } = await ask({ scopes: ['profile:read', 'transactions:read'] }, 'accounts:read', {
      deny: ['transactions:read'],
    } as object);
    const claims = claimsOf(tokens);
    expect(claims.scope?.split(' ').sort()).toEqual(['accounts:read', 'profile:read']);
    expect(claims.authorization_details?.[0]?.['scopes']).toEqual(['profile:read']);
  });

  it('works with a pushed request', async () => {
    const verifier = oidc.randomPKCECodeVerifier();
    const url = await oidc.buildAuthorizationUrlWithPAR(planner, {
      redirect_uri: REDIRECT_URI,
      state: 's',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...details({ scopes: ['accounts:read'], purposes: ['budgeting'] }),
    });
    const { callbackUrl } = await new BrowserlessPerson().follow(url, NOOR);
    const tokens = await exchange(planner, callbackUrl, { url, verifier, state: 's' });
    expect(claimsOf(tokens)).toMatchObject({ scope: 'accounts:read', consent: { purposes: ['budgeting'] } });
  });

  it('asks about another purpose, and not again about the same', async () => {
    const adviser = await discoverAs(authority, 'adviser');
    const person = new BrowserlessPerson();
    const shown = async (purposes: string[]) => {
      const more = details({ scopes: ['accounts:read'], purposes });
      const { pages } = await person.follow((await authorizationRequest(adviser, '', more)).url, ALMA);
      return pages.map(({ markup }) => markup).filter((markup) => markup.includes('name="shown"'));
    };
    expect(await shown(['budgeting'])).toHaveLength(1);
    expect(await shown(['budgeting'])).toHaveLength(0);
    const [again] = await shown(['administration']);
    expect(again).toContain('To administer consents');
  });

  it('narrows the token for a narrower request under a wider consent', async () => {
    const adviser = await discoverAs(authority, 'adviser');
    const will = { ...NOOR };
    await connect(adviser, 'accounts:read profile:read', will);
    const until = inSeconds(100);
    const parameters = details({
      scopes: ['accounts:read'],
      purposes: ['budgeting'],
      detail: 'minimal',
      until,
    });
    const tokens = await connect(adviser, '', will, { parameters });
    const claims = claimsOf(tokens);
    expect(claims.scope).toBe('accounts:read');
    expect(claims.consent).toMatchObject({ purposes: ['budgeting'], detail: 'minimal', until });
    expect(claims.exp).toBeLessThanOrEqual(until);
    const refreshed = await oidc.refreshTokenGrant(adviser, tokens.refresh_token ?? '');
    expect(claimsOf(refreshed)).toMatchObject({
      scope: 'accounts:read',
      consent: { purposes: ['budgeting'], detail: 'minimal', until },
    });
    expect(claimsOf(refreshed).exp).toBeLessThanOrEqual(until);
  });
});

describe('RFC 9396 section 6.1: a token request compared with the grant', () => {
  const asked = { scopes: ['accounts:read', 'profile:read'], purposes: ['budgeting'], detail: 'minimal' };

  it.each<[string, Record<string, unknown>]>([
    ['a scope', { scopes: ['transactions:read'] }],
    ['a purpose', { purposes: ['administration'] }],
    ['more detail', { detail: 'full' }],
    ['a later end', { until: 4_000_000_000 }],
  ])('at refresh, %s that was not granted is refused', async (_, more) => {
    const { tokens } = await ask(asked);
    const attempt = oidc.refreshTokenGrant(planner, tokens.refresh_token ?? '', details(more));
    await expect(attempt).rejects.toMatchObject({ error: INVALID });
  });

  it('at refresh, a narrower request does not narrow the next one', async () => {
    const { tokens } = await ask(asked);
    const less = await oidc.refreshTokenGrant(
      planner,
      tokens.refresh_token ?? '',
      details({ scopes: ['accounts:read'] }),
    );
    expect(claimsOf(less)).toMatchObject({ scope: 'accounts:read' });
    expect(claimsOf(less).authorization_details?.[0]?.['scopes']).toEqual(['accounts:read']);
    const all = await oidc.refreshTokenGrant(planner, less.refresh_token ?? '');
    expect(claimsOf(all).scope?.split(' ').sort()).toEqual(['accounts:read', 'profile:read']);
  });

  it('at refresh, a grant without details permits none', async () => {
    const adviser = await discoverAs(authority, 'adviser');
    const tokens = await connect(adviser, 'accounts:read');
    const attempt = oidc.refreshTokenGrant(
      adviser,
      tokens.refresh_token ?? '',
      details({ scopes: ['accounts:read'] }),
    );
    await expect(attempt).rejects.toMatchObject({ error: INVALID });
  });

  async function exchanged(token: string, more: Record<string, string> = {}) {
    return oidc.genericGrantRequest(
      await discoverAs(authority, 'statements', key),
      'urn:ietf:params:oauth:grant-type:token-exchange',
      {
        subject_token: token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        ...more,
      },
    );
  }

  it('at exchange, the grant is kept or narrowed', async () => {
    const { tokens } = await ask(asked);
    const granted = claimsOf(tokens).authorization_details?.[0];
    const whole = claimsOf(await exchanged(tokens.access_token));
    expect(whole.authorization_details).toEqual([granted]);
    const less = claimsOf(await exchanged(tokens.access_token, details({ scopes: ['profile:read'] })));
    expect(less).toMatchObject({
      scope: 'profile:read',
      consent: { detail: 'minimal', purposes: ['budgeting'] },
    });
    expect(less.authorization_details).toEqual([{ ...granted, scopes: ['profile:read'] }]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a scope', { scopes: ['payments:write'] }],
    ['a purpose', { purposes: ['administration'] }],
    ['more detail', { detail: 'full' }],
    ['a later end', { until: 4_000_000_000 }],
  ])('at exchange, %s that was not granted is refused', async (_, more) => {
    const { tokens } = await ask(asked);
    await expect(exchanged(tokens.access_token, details(more))).rejects.toMatchObject({ error: INVALID });
  });

  it('at exchange, a token of scopes can be narrowed by purposes and detail', async () => {
    const { access_token: token } = await connect(await discover(authority), 'accounts:read');
    const narrowed = claimsOf(
      await exchanged(token, details({ detail: 'minimal', purposes: ['budgeting'] })),
    );
    expect(narrowed.consent).toMatchObject({ detail: 'minimal', purposes: ['budgeting'] });
    expect(narrowed.authorization_details).toHaveLength(1);
  });
});
