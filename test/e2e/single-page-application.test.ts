import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALMA, application, discoverAs, post, REDIRECT_URI, withClients } from '../authority/oauth-setup.js';
import { authorizationRequest, startTestAuthority } from '../authority/setup.js';
import type { TestAuthority } from '../authority/setup.js';
import { AUDIENCE, Cleanup, compose, listen, startTestGateway, TestSubgraph } from '../gateway/support.js';
import type { TestGateway } from '../gateway/support.js';
import { launchBrowser } from '../support/browser.js';
import { BrowserlessPerson } from '../support/person.js';

// Only a real browser shows what a page of another origin can read.

const QUERY = 'query Mine { mine me { id email } }';
const JSON_TYPE = { 'content-type': 'application/json' };
const cleanup = new Cleanup();
let authority: TestAuthority;
let gateway: TestGateway;
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
  authority = await startTestAuthority(
    withClients([application('page-app', { senderConstraint: 'dpop' })], {
      'page-app': { scopes: ['accounts:read'], purposes: ['budgeting'] },
    }),
  );
  cleanup.add(() => authority.close());
  const people = await TestSubgraph.start('people');
  cleanup.add(() => people.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: authority.issuer, audience: AUDIENCE }],
    dpop: { required: true, nonce: 'required' },
    cors: { origins: [origin] },
  });
  page = await open(origin);
  stranger = await open(otherOrigin);
  await call(page, 'use', await accessToken());
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

/** Alma permits the application; the page proves its key, which never leaves it. */
async function accessToken(): Promise<string> {
  const client = await discoverAs(authority, 'page-app');
  const request = await authorizationRequest(client, 'accounts:read');
  const { callbackUrl } = await new BrowserlessPerson().follow(request.url, ALMA);
  const url = `${authority.issuer}/token`;
  const form = {
    grant_type: 'authorization_code',
    client_id: 'page-app',
    redirect_uri: REDIRECT_URI,
    code: callbackUrl.searchParams.get('code') ?? '',
    code_verifier: request.verifier,
  };
  const redeem = async (nonce?: string): ReturnType<typeof post> => {
    const dpop = await call(page, 'proof', { method: 'POST', url, nonce });
    return post(url, form, { dpop: String(dpop) });
  };
  const first = await redeem();
  expect(first.body.error).toBe('use_dpop_nonce');
  const { body } = await redeem(first.headers.get('dpop-nonce') ?? '');
  expect(body.token_type).toBe('DPoP');
  return String(body.access_token);
}

describe('a page of a listed origin', () => {
  it.each(['apollo', 'urql'])('asks through %s, with DPoP and the gateway’s nonce', async (client) => {
    expect(await call(page, client, `${gateway.url}/graphql`, QUERY)).toMatchObject({
      data: { mine: 'mine', me: { id: 'c-000001', email: null } },
      codes: ['UNAUTHORIZED_FIELD_OR_TYPE'],
    });
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
    expect(await ask({}, '{')).toMatchObject({ status: 400 });
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
