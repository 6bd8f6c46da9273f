import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALMA, application, withClients } from '../authority/oauth-setup.js';
import { startTestAuthority } from '../authority/setup.js';
import type { TestAuthority } from '../authority/setup.js';
import { Cleanup, compose, freePort, listen, startTestGateway, TestSubgraph } from '../gateway/support.js';
import type { TestGateway } from '../gateway/support.js';
import { limitedPolicy } from '../gateway/endpoints/limited-policy.js';
import { launchBrowser } from '../support/browser.js';

// Only a real browser shows what a page of another origin can read.

const QUERY = 'query Mine { mine me { id email } }';
const JSON_TYPE = { 'content-type': 'application/json' };
const cleanup = new Cleanup();
let authority: TestAuthority;
let gateway: TestGateway;
/** Permits the application one request an hour. */
let limited: TestGateway;
/** Has no keys of the authority. */
let keyless: TestGateway;
let api: string;
let browser: Browser;
/** Of the permitted origin, and with a token. */
let page: Page;
/** Of an origin that is not listed. */
let stranger: Page;

beforeAll(async () => {
  const script = await bundle(join(dirname(fileURLToPath(import.meta.url)), 'page', 'page.js'));
  browser = await launchBrowser();
  cleanup.add(() => browser.close());
  const origin = await servePage(script);
  const otherOrigin = await servePage(script);
  const port = await freePort();
  api = `http://127.0.0.1:${port}/graphql`;
  const registration = application('page-app', { senderConstraint: 'dpop' });
  authority = await startTestAuthority({
    audience: api,
    ...withClients([{ ...registration, origins: [origin] }], {
      'page-app': { scopes: ['accounts:read'], purposes: ['budgeting'] },
    }),
  });
  cleanup.add(() => authority.close());
  const people = await TestSubgraph.start('people');
  cleanup.add(() => people.close());
  const start = (more: Partial<Parameters<typeof startTestGateway>[2]>): Promise<TestGateway> =>
    startTestGateway(cleanup, compose(people), {
      issuers: [{ issuer: authority.issuer, audience: api }],
      dpop: { required: true, nonce: 'required' },
      cors: { origins: [origin] },
      authorization: { anonymous: 'refuse' },
      ...more,
    });
  gateway = await start({ listen: { port } });
  limited = await start({ policy: await limitedPolicy(cleanup, 'page-app') });
  const jwksUri = `http://127.0.0.1:${await freePort()}/jwks`;
  keyless = await start({ issuers: [{ issuer: authority.issuer, audience: api, jwksUri }] });
  page = await open(origin);
  stranger = await open(otherOrigin);
});
afterAll(() => cleanup.run());

async function bundle(entry: string): Promise<string> {
  const built = await build({
    logLevel: 'silent',
    configFile: false,
    build: {
      write: false,
      minify: false,
      target: 'esnext',
      rolldownOptions: { input: entry, output: { codeSplitting: false } },
    },
  });
  const [output] = [built].flat();
  if (output === undefined || !('output' in output)) throw new Error('nothing was built');
  return output.output[0].code;
}

/** @returns the origin */
async function servePage(script: string): Promise<string> {
  const served = await listen((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>');
  });
  cleanup.add(() => served.close());
  return served.url;
}

async function open(origin: string): Promise<Page> {
  const opened = await browser.newPage();
  await opened.goto(origin);
  await opened.waitForFunction('globalThis.page !== undefined');
  return opened;
}

/** Calls a function of `page.js`. */
function call(at: Page, name: string, ...given: readonly unknown[]): Promise<unknown> {
  return at.evaluate(`page.${name}(${given.map((each) => JSON.stringify(each)).join()})`);
}

/** Alma permits the application, which finds its way to the authority and back by itself. */
async function signIn(): Promise<unknown> {
  const { origin } = new URL(page.url());
  const leaving = call(page, 'leave', api, 'accounts:read').catch(() => undefined);
  await page.getByLabel('User name').fill(ALMA.user);
  await page.getByLabel('Password').fill(ALMA.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('See your accounts').check();
  await page.getByRole('button', { name: 'Allow' }).click();
  await leaving;
  await page.waitForURL((url) => url.origin === origin);
  await page.waitForFunction('globalThis.page !== undefined');
  return call(page, 'redeem');
}

describe('a page of a listed origin', () => {
  it('discovers everything, and gets its token by itself: PKCE, DPoP, the authority’s nonce', async () => {
    expect(await signIn()).toEqual({ status: 200, type: 'DPoP', error: undefined });
  });

  it.each(['apollo', 'urql'])('asks through %s, with DPoP and the gateway’s nonce', async (client) => {
    expect(await call(page, client, `${gateway.url}/graphql`, QUERY)).toMatchObject({
      data: { mine: 'mine', me: { id: 'c-000001', email: null } },
      codes: ['UNAUTHORIZED_FIELD_OR_TYPE'],
    });
  });

  it('reads when to ask again after too many requests', async () => {
    const url = `${limited.url}/graphql`;
    expect(await call(page, 'ask', url, '{ hello }')).toMatchObject({ status: 200, retryAfter: null });
    expect(await call(page, 'ask', url, '{ hello }')).toEqual({
      status: 429,
      codes: ['RATE_LIMITED'],
      retryAfter: expect.stringMatching(/^[1-9]\d*$/) as string,
    });
  });

  it('reads when to ask again while the gateway cannot verify its token', async () => {
    expect(await call(page, 'ask', `${keyless.url}/graphql`, '{ hello }')).toEqual({
      status: 503,
      codes: ['ISSUER_KEYS_UNAVAILABLE'],
      retryAfter: expect.stringMatching(/^[1-9]\d*$/) as string,
    });
  });

  it('reads the authority’s refusals', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = 'grant_type=authorization_code&client_id=page-app&code=none';
    const init = { method: 'POST', headers: form, body };
    expect(await call(page, 'fetch', `${authority.issuer}/token`, init)).toMatchObject({
      status: 400,
      text: expect.stringContaining('"error":') as string,
    });
    expect(await call(stranger, 'fetch', `${authority.issuer}/token`, init)).toEqual({ error: 'TypeError' });
  });

  it('holds a key that cannot be exported', async () => {
    expect(await call(page, 'exportKey')).toBe('InvalidAccessError');
  });

  it('reads refusals, and the headers that say what to do', async () => {
    const url = `${gateway.url}/graphql`;
    const ask = (headers: object, body = '{"query":"{ mine }"}'): Promise<unknown> =>
      call(page, 'fetch', url, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body });
    expect(await ask({ authorization: 'DPoP a.b.c' })).toMatchObject({
      status: 401,
      headers: {
        'www-authenticate': expect.stringContaining('DPoP') as string,
        'behalf-transaction': expect.stringMatching(/\w/) as string,
      },
      text: expect.stringContaining('INVALID_TOKEN') as string,
    });
    expect(await ask({}, ' '.repeat(256 * 1024 + 1))).toMatchObject({
      status: 413,
      text: expect.stringContaining('BODY_TOO_LARGE') as string,
    });
    expect(await ask({}, '[]')).toMatchObject({ status: 400 });
    expect(await call(page, 'fetch', url, { method: 'DELETE', headers: {} })).toEqual({ error: 'TypeError' });
  });

  it.each(['/.well-known/oauth-protected-resource/graphql', '/.well-known/jwks.json'])(
    'reads %s',
    async (path) => {
      expect(await call(page, 'fetch', `${gateway.url}${path}`, { headers: JSON_TYPE })).toMatchObject({
        status: 200,
      });
    },
  );
});

describe('a page of another origin', () => {
  it.each([
    ['asks nothing', '/graphql', { method: 'POST', headers: JSON_TYPE, body: '{"query":"{ hello }"}' }],
    ['reads no answer', '/graphql', { method: 'POST', body: '{"query":"{ hello }"}' }],
    ['reads no metadata', '/.well-known/oauth-protected-resource/graphql', {}],
  ])('%s', async (_what, path, init) => {
    expect(await call(stranger, 'fetch', `${gateway.url}${path}`, init)).toEqual({ error: 'TypeError' });
  });
});
