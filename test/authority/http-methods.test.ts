import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEND_FORM_PATH } from '../../authority/pages/continue.js';
import { expectHeadLikeGet } from '../gateway/endpoints/hostile-requests.js';
import { send } from '../gateway/support.js';
import { rawRequest } from './raw-request.js';
import {
  authorizationRequest,
  discover,
  startTestAuthority,
  STREAM_SECRET,
  type TestAuthority,
} from './setup.js';

let authority: TestAuthority;
/** Credentials of a stream, by which its receiver reads it. */
const receiver = { authorization: '' };
beforeAll(async () => {
  authority = await startTestAuthority();
  const made = await send(`${authority.issuer}/ssf/streams`, '{}', {
    authorization: `Bearer ${STREAM_SECRET}`,
    'content-type': 'application/json',
  });
  const { behalf_stream_secret: secret } = made.body as { behalf_stream_secret?: string };
  receiver.authorization = `Bearer ${secret}`;
});
afterAll(() => authority.close());

describe('HEAD has the headers of GET, and no body', () => {
  it.each([
    ['/health/live', {}],
    ['/health/ready', {}],
    ['/health', {}],
    ['/style.css', {}],
    [SEND_FORM_PATH, {}],
    ['/.well-known/oauth-authorization-server', {}],
    ['/auth', {}],
    ['/auth?client_id=budget-app', { accept: 'text/html' }],
    ['/nowhere', {}],
    ['/nowhere', { accept: 'text/html' }],
    ['/sign-out', {}],
    ['/jwks', {}],
    ['/.well-known/openid-configuration', {}],
    ['/.well-known/ssf-configuration', {}],
    ['/ssf/streams', receiver],
    ['/token-status/0', {}],
    ['/token-status/9999', {}],
    ['/interaction/unknown', {}],
  ])('at %s', async (path, headers) => {
    await expectHeadLikeGet(`${authority.issuer}${path}`, headers);
  });

  it('at the page where a person signs in, which it does not use up', async () => {
    const { url } = await authorizationRequest(await discover(authority), 'accounts:read');
    const first = await fetch(url, { redirect: 'manual' });
    const cookie = first.headers.getSetCookie().map((line) => line.split(';')[0]);
    const page = new URL(first.headers.get('location') ?? '', url).href;
    const headers = { cookie: cookie.join('; ') };
    await expectHeadLikeGet(page, headers);
    expect((await send(page, '', headers, 'GET')).text).toContain('type="password"');
  });
});

describe('another method is refused with METHOD_NOT_ALLOWED', () => {
  it.each([
    ['/health/live', 'POST', 'GET, HEAD'],
    ['/health/ready', 'POST', 'GET, HEAD'],
    ['/style.css', 'PUT', 'GET, HEAD'],
    ['/.well-known/ssf-configuration', 'POST', 'GET, HEAD'],
    ['/token-status/0', 'DELETE', 'GET, HEAD'],
    ['/ssf/verify', 'GET', 'POST'],
    ['/ssf/status', 'PUT', 'GET, HEAD, POST'],
  ])('at %s: %s', async (path, method, allow) => {
    const answer = await send(`${authority.issuer}${path}`, '', receiver, method);
    expect([answer.status, answer.headers.allow]).toEqual([405, allow]);
    expect(answer.body).toMatchObject({ error: 'METHOD_NOT_ALLOWED' });
  });

  it.each(['/sign-out', '/interaction/unknown'])('at the page %s, as a page', async (path) => {
    const answer = await send(`${authority.issuer}${path}`, '', {}, 'PUT');
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD, POST']);
    expect(answer.headers['content-type']).toContain('text/html');
    expect(answer.text).toContain('METHOD_NOT_ALLOWED');
  });
});

it.each(['/health/live', '/health', '/.well-known/openid-configuration', '/jwks'])(
  'a target in absolute form is the path in it (RFC 9112 section 3.2.2): %s',
  async (path) => {
    for (const origin of ['http://elsewhere.example', 'HTTPS://elsewhere.example:1'])
      expect((await rawRequest(authority.authority.url, { target: `${origin}${path}` })).status).toBe(200);
  },
);
