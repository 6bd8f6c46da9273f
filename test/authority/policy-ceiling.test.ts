import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CookieJar } from '../../subgraphs/bank/walkthrough/cookie-jar.js';
import { readRefresh } from '../../subgraphs/bank/walkthrough/form.js';
import { startAuthority } from '../../authority/index.js';
import { checkPolicy } from '../../policy/index.js';
import { BrowserlessPerson, signInAndConsent } from '../support/person.js';
import {
  authorizationRequest,
  discover,
  exchange,
  POLICY_FILE,
  startTestAuthority,
  type TestAuthority,
  withPolicy,
} from './setup.js';

const ALMA = { user: 'alma', password: 'alma-demo' };
const NOOR = { user: 'noor', password: 'noor-demo' };
const IRIS = { user: 'iris', password: 'iris-demo' };
const HOUR = 60 * 60;
const DAY = 24 * HOUR;

const { scopes, clients } = POLICY_FILE;
const POLICY = checkPolicy({
  ...POLICY_FILE,
  scopes: {
    ...scopes,
    'accounts:old': {
      ...scopes['accounts:read'],
      sentence: 'See accounts as before',
      deprecated: { since: '2020-01-01', until: '2999-12-31', replacedBy: ['accounts:read'] },
    },
    'accounts:gone': {
      ...scopes['accounts:read'],
      sentence: 'See accounts as long ago',
      deprecated: { since: '2020-01-01', until: '2020-12-31', replacedBy: ['accounts:read'] },
    },
  },
  clients: {
    'budget-app': {
      scopes: ['profile:read', 'accounts:read', 'payments:write', 'accounts:old', 'accounts:gone'],
      purposes: ['budgeting'],
      longestConsent: 'P40D',
    },
    'bank-console': clients['bank-console'],
  },
  longestConsent: { sensitive: 'PT90M' },
});

/** A browser that submits forged forms. */
class Browser {
  at = new URL('about:blank');
  /** The page it shows. */
  markup = '';
  readonly #cookies = new CookieJar();

  /** Follows redirects until a page, or until the browser would leave the authority: then the status is 0. */
  async go(url: URL, form?: URLSearchParams): Promise<{ readonly status: number }> {
    const cookie = this.#cookies.header(url);
    const response = await fetch(url, {
      redirect: 'manual',
      headers: cookie === '' ? {} : { cookie },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    });
    this.markup = await response.text();
    this.#cookies.take(response, url);
    const location = response.headers.get('location') ?? readRefresh(this.markup);
    this.at = location === undefined ? url : new URL(location, url);
    if (location === undefined) return { status: response.status };
    return this.at.origin === url.origin ? this.go(this.at) : { status: 0 };
  }
}

const signIn = ({ user, password }: { user: string; password: string }): URLSearchParams =>
  new URLSearchParams({ username: user, password, do: 'sign-in' });

const decision = (page: string, granted: readonly string[], seconds: number): URLSearchParams =>
  new URLSearchParams([
    ['shown', /name="shown" value="([\w-]+)"/.exec(page)?.[1] ?? ''],
    ...granted.map((scope): [string, string] => ['scope', scope]),
    ['duration', String(seconds)],
    ['detail', 'full'],
    ['do', 'allow'],
  ]);

interface Claims {
  readonly scope: string;
  readonly consent: { readonly purposes: readonly string[]; readonly until: number };
  readonly iat: number;
}

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority(withPolicy(POLICY));
});
afterAll(() => authority.close());

async function ask(scope: string, who: { user: string; password: string }, clientId = 'budget-app') {
  const client = await discover(authority, clientId);
  const request = await authorizationRequest(client, scope, { prompt: 'consent' });
  const { callbackUrl, pages } = await signInAndConsent({ authorizationUrl: request.url, ...who });
  const page = pages.at(-1)?.markup ?? '';
  const claims = async (): Promise<Claims> =>
    decodeJwt<Claims>((await exchange(client, callbackUrl, request)).access_token);
  return { callbackUrl, page, claims };
}

describe('a request beyond the application’s ceiling', () => {
  it('is neither shown nor granted, whatever the form says', async () => {
    const { page, claims } = await ask('accounts:read transactions:read consents:read', ALMA);
    expect(page).toContain('accounts:read');
    expect(page).not.toContain('transactions:read');
    expect(page).not.toContain('consents:read');
    expect((await claims()).scope).toBe('accounts:read');
  });

  it('and nothing else, ends with invalid_scope', async () => {
    const { callbackUrl } = await ask('consents:read', ALMA);
    expect(callbackUrl.searchParams.get('error')).toBe('invalid_scope');
  });

  it('is refused to a registered client that the policy does not list', async () => {
    const { clients: _clients, ...rest } = POLICY_FILE;
    const other = await startTestAuthority({
      ...withPolicy(checkPolicy({ ...rest, clients: { 'bank-console': clients['bank-console'] } })),
    });
    try {
      const request = await authorizationRequest(await discover(other), 'accounts:read');
      const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...ALMA });
      expect(callbackUrl.searchParams.get('error')).toBe('invalid_scope');
      expect(await other.consents.findActive('c-000001', 'budget-app')).toBeUndefined();
    } finally {
      await other.close();
    }
  });

  it('cannot be smuggled in through a forged form', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read transactions:read', {
      prompt: 'consent',
    });
    const browser = new Browser();
    await browser.go(request.url);
    await browser.go(browser.at, signIn(NOOR));
    const forged = await browser.go(
      browser.at,
      decision(browser.markup, ['accounts:read', 'transactions:read'], HOUR),
    );
    expect(forged.status).toBe(0);
    const { access_token } = await exchange(client, browser.at, request);
    expect(decodeJwt<Claims>(access_token).scope).toBe('accounts:read');
    expect(await authority.consents.findActive('c-000002', 'budget-app')).toMatchObject({
      scopes: ['accounts:read'],
      declined: [],
    });
  });
});

describe('a role', () => {
  it('of the policy decides who can grant a scope', async () => {
    const mine = await ask('consents:read consents:admin', ALMA, 'bank-console');
    expect(mine.page).not.toContain('consents:admin');
    expect((await mine.claims()).scope).toBe('consents:read');
    const hers = await ask('consents:read consents:admin', IRIS, 'bank-console');
    expect((await hers.claims()).scope.split(' ').sort()).toEqual(['consents:admin', 'consents:read']);
  });
});

describe('the duration of a consent', () => {
  const options = (page: string): number[] =>
    [...page.matchAll(/<option value="(\d+)"/g)].map(([, seconds]) => Number(seconds));

  it('is at most the client’s maximum', async () => {
    const { page } = await ask('accounts:read', ALMA);
    expect(options(page)).toEqual([HOUR, DAY, 30 * DAY]);
  });

  it('is at most that of the most sensitive scope', async () => {
    const { page, claims } = await ask('accounts:read payments:write', ALMA);
    expect(options(page)).toEqual([HOUR]);
    const { consent, iat } = await claims();
    expect(consent.until - iat).toBeLessThanOrEqual(90 * 60);
  });

  it('cannot be extended by a forged form, even without the sensitive scope', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read payments:write', { prompt: 'consent' });
    const browser = new Browser();
    await browser.go(request.url);
    await browser.go(browser.at, signIn(ALMA));
    for (const scope of ['payments:write', 'accounts:read']) {
      expect((await browser.go(browser.at, decision(browser.markup, [scope], 30 * DAY))).status).toBe(400);
    }
  });
});

describe('the page', () => {
  it('marks sensitive scopes and those that change something', async () => {
    const { page } = await ask('accounts:read payments:write', ALMA);
    const [reading, writing] = page.split('value="payments:write"');
    expect(writing).toContain('Lets it change something in your name');
    expect(writing).toContain('Sensitive');
    expect(reading).not.toContain('Lets it change');
  });

  it('shows the successor of a deprecated scope, and no scope past its end', async () => {
    const { page, claims } = await ask('accounts:old accounts:gone', NOOR);
    expect(page).toContain('This permission ends on 31 December 2999.');
    expect(page).toContain('In its place comes: See your accounts and their balances.');
    expect(page).not.toContain('accounts:gone');
    expect((await claims()).scope).toBe('accounts:old');
  });
});

describe('a policy that becomes narrower', () => {
  it('ends refreshing; new tokens hold the remaining scopes and purposes', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read profile:read', { prompt: 'consent' });
    const person = new BrowserlessPerson();
    const { callbackUrl } = await person.follow(request.url, ALMA);
    const tokens = await exchange(client, callbackUrl, request);
    expect(decodeJwt<Claims>(tokens.access_token).consent.purposes).toEqual(['budgeting']);

    const narrow = { ...POLICY_FILE.clients, 'budget-app': { scopes: ['accounts:read'] } };
    await authority.restart(withPolicy(checkPolicy({ ...POLICY_FILE, clients: narrow })));
    const refreshed = oidc.refreshTokenGrant(client, tokens.refresh_token ?? '');
    await expect(refreshed).rejects.toMatchObject({ error: 'invalid_grant' });

    const again = await authorizationRequest(client, 'accounts:read profile:read');
    const second = await person.follow(again.url, ALMA);
    const claims = decodeJwt<Claims>((await exchange(client, second.callbackUrl, again)).access_token);
    expect(claims.scope).toBe('accounts:read');
    expect(claims.consent.purposes).toEqual([]);
    await authority.restart();
  });
});

describe('a policy that names what the schema no longer has', () => {
  it('is logged, and starts', async () => {
    const { policy, vocabulary } = withPolicy(POLICY);
    const scopes = new Map([...vocabulary.scopes].filter(([name]) => name !== 'accounts:gone'));
    await authority.restart({ policy, vocabulary: { ...vocabulary, scopes } });
    expect(authority.logged).toContain(
      'POLICY_SCHEMA_MISMATCH {"kind":"scope-not-in-schema","name":"accounts:gone"}',
    );
    await authority.restart();
  });
});

describe('a policy that does not fit the schema', () => {
  const options = {
    port: 0,
    databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
    dataDir: '/nowhere',
    audience: 'https://api.bank.example',
    streamSecret: 'a-secret-of-the-tests',
  };
  const { policy, vocabulary } = withPolicy(POLICY);

  it.each([
    [
      'lacks a scope of the schema',
      { ...vocabulary, scopes: new Map([...vocabulary.scopes, ['loans:read', ['Query.loans']]]) },
      'scopes that the schema uses and the policy lacks: loans:read',
    ],
    [
      'has a scope that the schema does not use',
      { ...vocabulary, scopes: new Map([...vocabulary.scopes].filter(([name]) => name !== 'consents:read')) },
      'scopes that the policy has and the schema does not use: consents:read',
    ],
    [
      'lacks a purpose of the schema',
      { ...vocabulary, purposes: new Map([['credit', ['Query.loans']]]) },
      'purposes that the schema uses and the policy lacks: credit',
    ],
  ])('stops the start because it %s', async (_, words, message) => {
    const start = startAuthority({ ...options, policy, vocabulary: words });
    await expect(start).rejects.toMatchObject({ name: 'AuthorityError', code: 'POLICY_MISMATCH', message });
  });
});
