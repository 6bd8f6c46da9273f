import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AuthorityError, startAuthority } from '../../authority/index.js';
import { html } from '../../authority/pages/html.js';
import { BrowserlessPerson, PersonStuckError, signInAndConsent } from '../support/person.js';
import { checkPolicy } from '../../policy/index.js';
import {
  authorizationRequest,
  discover,
  POLICY_FILE,
  startTestAuthority,
  type TestAuthority,
  withPolicy,
} from './setup.js';

const HOSTILE = `<script>alert("1")</script>'&`;
const ESCAPED = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority({
    clients: [
      {
        clientId: 'hostile',
        displayName: HOSTILE,
        redirectUris: ['http://127.0.0.1/callback'],
      },
    ],
    ...withPolicy(
      checkPolicy({
        scopes: { 'accounts:read': { sentence: HOSTILE, access: 'read', sensitivity: 'low' } },
        purposes: { mischief: { sentence: HOSTILE } },
        clients: { '*': { scopes: ['accounts:read'], purposes: ['mischief'] } },
      }),
    ),
  });
});
afterAll(() => authority.close());

it('text becomes markup only through escaping', () => {
  expect(html`<a title="${HOSTILE}">${HOSTILE}${html`<b>${1}</b>`}${undefined}${false}</a>`.text).toBe(
    `<a title="${ESCAPED}">${ESCAPED}<b>1</b></a>`,
  );
});

it('a hostile name, purpose or sentence stays text on the pages', async () => {
  const client = await discover(authority, 'hostile');
  const { url } = await authorizationRequest(client, 'accounts:read');
  const { pages } = await signInAndConsent({ authorizationUrl: url, user: 'alma', password: 'alma-demo' });
  expect(pages).toHaveLength(2);
  for (const { markup } of pages) {
    expect(markup).toContain(ESCAPED);
    expect(markup).not.toContain('<script');
  }
});

it('pages run no scripts, load nothing external, and are neither framed nor cached', async () => {
  const client = await discover(authority);
  const { url } = await authorizationRequest(client, 'accounts:read');
  const first = await fetch(url, { redirect: 'manual' });
  const cookie = first.headers.getSetCookie().map((line) => line.split(';')[0]);
  expect(
    first.headers.getSetCookie().every((line) => /httponly/i.test(line) && /samesite=lax/i.test(line)),
  ).toBe(true);
  const page = await fetch(new URL(first.headers.get('location') ?? '', url), {
    headers: { cookie: cookie.join('; ') },
  });
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toBe(
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  );
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(page.headers.get('x-frame-options')).toBe('DENY');
  const script = await fetch(`${authority.issuer}/send-form.js`);
  expect(script.headers.get('content-type')).toContain('text/javascript');
  const style = await fetch(`${authority.issuer}/style.css`);
  expect(style.headers.get('content-type')).toContain('text/css');
  const foreign = await fetch(page.url, {
    method: 'POST',
    headers: { cookie: cookie.join('; '), origin: 'https://evil.example' },
    body: new URLSearchParams({ username: 'alma', password: 'alma-demo', do: 'sign-in' }),
  });
  expect(foreign.status).toBe(403);
  const without = await fetch(page.url);
  expect(without.status).toBe(400);
});

describe('signing in', () => {
  const attempt = async (user: string, password: string) => {
    const { url } = await authorizationRequest(await discover(authority), 'accounts:read');
    return new BrowserlessPerson().follow(url, { user, password });
  };

  it.each([
    ['alma', 'wrong'],
    ['nobody', 'alma-demo'],
    ['noor', ''],
  ])('as %s with "%s" gives the same answer, whatever is wrong', async (user, password) => {
    await expect(attempt(user, password)).rejects.toThrow('The user name or the password is wrong.');
  });

  it('is refused after five wrong passwords, for this person only', async () => {
    for (let count = 0; count < 5; count++)
      await expect(attempt('iris', 'wrong')).rejects.toThrow(PersonStuckError);
    await expect(attempt('iris', 'iris-demo')).rejects.toThrow('Too many wrong passwords');
    await expect(attempt('alma', 'alma-demo')).resolves.toHaveProperty('callbackUrl');
  });

  it('leaves no password, token or code in the log', () => {
    expect(authority.logged.join('\n')).not.toMatch(/demo|wrong|code=/);
  });
});

describe('the start', () => {
  const options = {
    port: 0,
    databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
    dataDir: '/nowhere',
    audience: 'https://api.bank.example',
    ...withPolicy(checkPolicy(POLICY_FILE)),
    streamSecret: 'a-secret-of-the-tests',
  };

  it.each([
    ['the demo on all addresses', { demoAccounts: [], host: '0.0.0.0' }, 'DEMO_NOT_LOOPBACK'],
    ['the demo on an address of a network', { demoAccounts: [], host: '192.0.2.1' }, 'DEMO_NOT_LOOPBACK'],
    ['the demo on all IPv6 addresses', { demoAccounts: [], host: '::' }, 'DEMO_NOT_LOOPBACK'],
    ['an issuer without TLS', { issuer: 'http://login.example' }, 'ISSUER_INVALID'],
    ['an issuer with a path', { issuer: 'https://login.example/x' }, 'ISSUER_INVALID'],
    ['a short stream secret', { streamSecret: 'short' }, 'OPTION_INVALID'],
    ['an audit log without an address', { audit: { database: '' } }, 'OPTION_INVALID'],
    ['an audit log that is not PostgreSQL', { audit: { database: 'file:///log' } }, 'OPTION_INVALID'],
  ])('refuses %s', async (_, more, code) => {
    await expect(startAuthority({ ...options, ...more })).rejects.toMatchObject({
      name: 'AuthorityError',
      code,
    });
  });

  it('refuses a taken port, and leaves nothing listening', async () => {
    const port = Number(new URL(authority.authority.url).port);
    const start = startAuthority({
      ...options,
      databaseUrl: authority.database.url,
      encryptionKey: new Uint8Array(32),
      port,
    });
    // An encryption key other than the store's is refused even before the port is opened.
    await expect(start).rejects.toMatchObject({ code: 'KEYS_UNREADABLE' });
    const other = await startTestAuthority().then(async (fresh) => {
      const taken = startAuthority({
        ...options,
        databaseUrl: fresh.database.url,
        dataDir: undefined as never,
        encryptionKey: new Uint8Array(32),
        port,
      });
      await expect(taken).rejects.toBeInstanceOf(AuthorityError);
      return fresh;
    });
    await other.close();
  });

  it('without the demo knows none of its people, even if stored', async () => {
    const fresh = await startTestAuthority();
    const { AccountRegister } = await import('../../authority/accounts/register.js');
    const outside = new AccountRegister(fresh.database.db, { demo: false });
    expect(await outside.authenticate('alma', 'alma-demo')).toEqual({});
    expect(await outside.find('c-000001')).toBeUndefined();
    const inside = new AccountRegister(fresh.database.db, { demo: true });
    expect(await inside.authenticate('ALMA', 'alma-demo')).toMatchObject({ claimed: 'c-000001' });
    await fresh.close();
  });

  it('reports its health', async () => {
    for (const path of ['/health', '/health/live', '/health/ready']) {
      const response = await fetch(`${authority.issuer}${path}`);
      expect([path, response.status, await response.json()]).toEqual([path, 200, { status: 'ok' }]);
    }
  });
});
