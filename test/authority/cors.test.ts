import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AuthorityError, startAuthority } from '../../authority/index.js';
import { ApplicationRegister } from '../../authority/clients/applications.js';
import { checkPolicy } from '../../policy/index.js';
import { launchBrowser } from '../support/browser.js';
import { type CallbackApplication, startApplication } from './callback-application.js';
import { application } from './oauth-setup.js';
import { rawRequest } from './raw-request.js';
import { POLICY_FILE, startTestAuthority, type TestAuthority, withPolicy } from './setup.js';

const APP = 'https://app.example';
const STORED = 'https://stored.example';

const { clients } = POLICY_FILE;
const WITH_APPS = withPolicy(
  checkPolicy({ ...POLICY_FILE, clients: { ...clients, '*': clients['budget-app'] } }),
);

let authority: TestAuthority;
let applications: ApplicationRegister;
let pageOf: CallbackApplication;
beforeAll(async () => {
  pageOf = await startApplication('127.0.0.1', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>App</title>');
  });
  authority = await startTestAuthority({
    ...WITH_APPS,
    clients: [
      { ...application('spa', {}), origins: [APP, pageOf.origin] },
      { ...application('other', {}), origins: ['https://other.example'] },
    ],
  });
  applications = new ApplicationRegister(authority.database.db);
  const registration = {
    displayName: 'Stored',
    owner: 'Stored Ltd',
    contact: 'mailto:help@stored.example',
    redirectUris: [`${STORED}/callback`],
    origins: [STORED],
  };
  await applications.register('stored', registration, {
    by: 'x',
    confidential: false,
    policy: WITH_APPS.policy,
  });
});
afterAll(async () => {
  await authority.close();
  await pageOf.close();
});

const ADDRESSES = [
  ['/token', 'POST', 'POST'],
  ['/TOKEN/', 'POST', 'POST'],
  ['/request', 'POST', 'POST'],
  ['/token/revocation', 'POST', 'POST'],
  ['/jwks', 'GET', 'GET, HEAD'],
  ['/.well-known/openid-configuration', 'GET', 'GET, HEAD'],
  ['/.well-known/oauth-authorization-server', 'GET', 'GET, HEAD'],
] as const;

const corsHeaders = (headers: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

async function ask(target: string, method: string, headers: Record<string, string>, body = '') {
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return rawRequest(authority.authority.url, {
    target,
    method,
    headers: { ...type, ...headers },
    ...(method === 'POST' ? { body } : {}),
  });
}

const preflight = (target: string, method: string, origin: string) =>
  ask(target, 'OPTIONS', {
    origin,
    'access-control-request-method': method,
    'access-control-request-headers': 'dpop,x-other',
  });

describe.each(ADDRESSES)('at %s, for %s', (target, method, methods) => {
  it.each([APP, STORED])('a preflight and the response permit the origin %s of a client', async (origin) => {
    const before = await preflight(target, method, origin);
    expect([before.status, before.headers['vary']]).toEqual([204, 'Origin']);
    expect(corsHeaders(before.headers)).toEqual({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': methods,
      'access-control-allow-headers': 'Authorization, DPoP, Content-Type',
      'access-control-max-age': '600',
    });
    const answer = await ask(target, method, { origin }, 'client_id=nobody');
    expect(answer.headers['vary']).toBe('Origin');
    expect(corsHeaders(answer.headers)).toEqual({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'DPoP-Nonce, WWW-Authenticate, Retry-After',
    });
  });

  it.each(['https://evil.example', 'null', '*', `${APP}/`, 'https://APP.example'])(
    'neither permits the origin %s',
    async (origin) => {
      for (const answer of [
        await preflight(target, method, origin),
        await ask(target, method, { origin }, 'client_id=spa'),
        await ask(target, method, { origin }, 'client_id=nobody'),
      ]) {
        expect(corsHeaders(answer.headers)).toEqual({});
        expect(answer.headers['vary']).toBe('Origin');
      }
    },
  );

  it('a program without an origin gets none of the headers', async () => {
    expect(corsHeaders((await ask(target, method, {})).headers)).toEqual({});
  });
});

it.each(['/auth', '/interaction/unknown', '/sign-out', '/health', '/style.css', '/nothing', '/ssf/streams'])(
  'no page can read %s',
  async (target) => {
    for (const method of ['GET', 'OPTIONS'])
      expect(corsHeaders((await ask(target, method, { origin: APP })).headers)).toEqual({});
  },
);

it('a retired application’s origin is permitted no more', async () => {
  const registration = {
    displayName: 'Short',
    owner: 'Short Ltd',
    contact: 'mailto:help@short.example',
    redirectUris: ['https://short.example/callback'],
    origins: ['https://short.example'],
  };
  const options = { by: 'x', confidential: false, policy: WITH_APPS.policy };
  await applications.register('short', registration, options);
  const origin = 'https://short.example';
  expect(corsHeaders((await ask('/jwks', 'GET', { origin })).headers)).not.toEqual({});
  await applications.retire('short', { by: 'x', reason: 'over' });
  expect(corsHeaders((await ask('/jwks', 'GET', { origin })).headers)).toEqual({});
});

it.each([
  ['*', 'must be an origin'],
  ['null', 'must be an origin'],
  ['https://app.example/', 'did you mean https://app.example?'],
  ['https://app.example:443', 'did you mean https://app.example?'],
  ['http://app.example', 'must be https'],
  ['ftp://app.example', 'must be an origin'],
  ['https://*.example', 'must be an origin'],
])('the origin "%s" is refused, in the options and in the store', async (origin, problem) => {
  const options = { port: 0, databaseUrl: authority.database.url, dataDir: authority.dataDir };
  const more = { audience: 'https://api.example', streamSecret: 'a-secret-of-the-tests', ...WITH_APPS };
  const start = startAuthority({
    ...options,
    ...more,
    clients: [{ ...application('wrong', {}), origins: [origin] }],
  });
  await expect(start).rejects.toThrow(problem);
  await expect(start).rejects.toBeInstanceOf(AuthorityError);
  const registration = {
    displayName: 'Wrong',
    owner: 'Wrong Ltd',
    contact: 'mailto:help@wrong.example',
    redirectUris: ['https://wrong.example/callback'],
    origins: [origin],
  };
  await expect(
    applications.register('wrong', registration, { by: 'x', confidential: false, policy: WITH_APPS.policy }),
  ).rejects.toThrow(problem);
});

it('in Chromium, a page of the client’s origin reads the response and the nonce, and another page nothing', async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const call = (issuer: string) =>
      page.evaluate(async (url) => {
        const body = 'client_id=spa&grant_type=refresh_token&refresh_token=gone';
        const type = 'application/x-www-form-urlencoded';
        try {
          const response = await fetch(`${url}/token`, {
            method: 'POST',
            headers: { 'content-type': type, dpop: 'not-a-proof' },
            body,
          });
          return { status: response.status, body: await response.json() };
        } catch {
          return 'blocked';
        }
      }, issuer);
    await page.goto(pageOf.origin);
    expect(await call(authority.issuer)).toMatchObject({
      status: 400,
      body: { error: expect.any(String) as string },
    });
    await page.goto(pageOf.origin.replace('127.0.0.1', 'localhost'));
    expect(await call(authority.issuer)).toBe('blocked');
  } finally {
    await browser.close();
  }
});
