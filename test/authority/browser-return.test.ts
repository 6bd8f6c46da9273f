import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { ClientRegistration } from '../../authority/index.js';
import { checkPolicy } from '../../policy/index.js';
import { launchBrowser } from '../support/browser.js';
import { Cleanup } from '../support/cleanup.js';
import { type CallbackApplication, startApplication } from './callback-application.js';
import { ALMA } from './oauth-setup.js';
import { POLICY_FILE, startTestAuthority, type TestAuthority, withPolicy } from './setup.js';

// Chromium applies `form-action` to every redirect that follows a form, so only a real browser shows what people see.

const SCHEME_URI = 'com.example.planner:/callback';
const FORM_POST = { response_mode: 'form_post' };
/** With characters that mean something in markup and in a refresh. */
const STATE = `a b&c"d'e;url=<f>`;

const app = (clientId: string, ...redirectUris: string[]): ClientRegistration => ({
  clientId,
  displayName: 'Planner & Sons',
  redirectUris,
});

let authority: TestAuthority;
let browser: Browser;
let elsewhere: CallbackApplication;
let redirecting: CallbackApplication;
let ipv6: CallbackApplication;
let context: BrowserContext | undefined;
const cleanup = new Cleanup();

beforeAll(async () => {
  browser = await launchBrowser();
  cleanup.add(() => browser.close());
  elsewhere = await startApplication('127.0.0.1', showRequest);
  cleanup.add(() => elsewhere.close());
  ipv6 = await startApplication('::1', showRequest);
  cleanup.add(() => ipv6.close());
  redirecting = await startApplication('127.0.0.1', (request, response) => {
    const target = `http://localhost:${new URL(elsewhere.origin).port}${request.url ?? ''}`;
    request.resume().on('end', () => response.writeHead(302, { location: target }).end());
  });
  cleanup.add(() => redirecting.close());
  const { clients } = POLICY_FILE;
  authority = await startTestAuthority({
    ...withPolicy(checkPolicy({ ...POLICY_FILE, clients: { ...clients, '*': clients['budget-app'] } })),
    // One for each test: a person is not asked again by an application that they have answered.
    clients: [
      ...['redirects', 'refused', 'posted', 'posted-on', 'fragment'].map((id) =>
        app(id, 'http://127.0.0.1/callback'),
      ),
      app('ipv6', 'http://[::1]/callback'),
      app('ipv6-posted', 'http://[::1]/callback'),
      app('scheme', SCHEME_URI),
      app('query', 'http://127.0.0.1/callback?tenant=7'),
    ],
  });
  cleanup.add(() => authority.close());
});
afterEach(() => context?.close());
afterAll(() => cleanup.run());

/** The parameters, from the query or the form, as the page's text. */
const showRequest: Parameters<typeof startApplication>[1] = (request, response) => {
  let form = '';
  request
    .setEncoding('utf8')
    .on('data', (chunk: string) => (form += chunk))
    .on('end', () => {
      const given = request.method === 'POST' ? form : new URL(request.url ?? '', 'http://x').search;
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end(JSON.stringify(Object.fromEntries(new URLSearchParams(given))));
    });
};

/** The person opens the application's link, and submits both forms by `decide`. */
async function decide(
  clientId: string,
  redirectUri: string,
  decision: 'Allow' | 'Refuse' = 'Allow',
  more: Readonly<Record<string, string>> = {},
): Promise<Page> {
  context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(25_000);
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    scope: 'accounts:read',
    redirect_uri: redirectUri,
    state: STATE,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...more,
  });
  await page.goto(`${authority.issuer}/auth?${query.toString()}`);
  await page.getByLabel('User name').fill(ALMA.user);
  await page.getByLabel('Password').fill(ALMA.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  if (decision === 'Allow') await page.getByLabel('See your accounts').check();
  await page.getByRole('button', { name: decision }).click();
  return page;
}

/** What the application at the end of the way received. */
async function received(page: Page, origin: string): Promise<Record<string, string>> {
  await page.waitForURL((url) => url.origin === origin);
  return JSON.parse(await page.locator('body').innerText()) as Record<string, string>;
}

const answered = () => ({
  code: expect.stringMatching(/^[\w-]{20,}$/) as string,
  state: STATE,
  iss: authority.issuer,
});

describe('after "Allow", a person in Chromium comes back to', () => {
  it('a callback that redirects to another origin', async () => {
    const page = await decide('redirects', `${redirecting.origin}/callback`);
    expect(await received(page, elsewhere.origin.replace('127.0.0.1', 'localhost'))).toEqual(answered());
  });

  it('a callback at the IPv6 loopback address', async () => {
    const page = await decide('ipv6', `${ipv6.origin}/callback`);
    expect(await received(page, ipv6.origin)).toEqual(answered());
  });

  it('a callback with a query of its own', async () => {
    const page = await decide('query', `${elsewhere.origin}/callback?tenant=7`);
    expect(await received(page, elsewhere.origin)).toEqual({ ...answered(), tenant: '7' });
  });

  it('a callback that is posted to', async () => {
    const page = await decide('posted', `${elsewhere.origin}/callback`, 'Allow', FORM_POST);
    expect(await received(page, elsewhere.origin)).toEqual(answered());
  });

  it('a callback that is posted to, and redirects to another origin', async () => {
    const page = await decide('posted-on', `${redirecting.origin}/callback`, 'Allow', FORM_POST);
    await page.waitForURL((url) => url.hostname === 'localhost');
  });

  it('a callback at the IPv6 loopback address that is posted to', async () => {
    const page = await decide('ipv6-posted', `${ipv6.origin}/callback`, 'Allow', FORM_POST);
    expect(await received(page, ipv6.origin)).toEqual(answered());
  });

  it('a callback that reads the fragment', async () => {
    const page = await decide('fragment', `${elsewhere.origin}/callback`, 'Allow', {
      response_mode: 'fragment',
    });
    await page.waitForURL((url) => url.origin === elsewhere.origin);
    expect(Object.fromEntries(new URLSearchParams(new URL(page.url()).hash.slice(1)))).toEqual(answered());
  });

  it('an application’s own scheme, or to a page with a link to it', async () => {
    const page = await decide('scheme', SCHEME_URI);
    const link = page.getByRole('link', { name: 'Continue to Planner & Sons' });
    const address = new URL((await link.getAttribute('href')) ?? '');
    expect(address.href.startsWith(`${SCHEME_URI}?`)).toBe(true);
    expect(Object.fromEntries(address.searchParams)).toEqual(answered());
  });
});

it('after "Refuse", a person in Chromium comes back with the error', async () => {
  const page = await decide('refused', `${redirecting.origin}/callback`, 'Refuse');
  expect(await received(page, elsewhere.origin.replace('127.0.0.1', 'localhost'))).toMatchObject({
    error: 'access_denied',
    state: STATE,
  });
});
