import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import * as oidc from 'openid-client';

import { BrowserlessPerson } from '../support/person.js';
import { ALMA } from './oauth-setup.js';
import { rawRequest, type RawAnswer } from './raw-request.js';
import { authorizationRequest, discover, startTestAuthority, type TestAuthority } from './setup.js';
import { authorizationTarget, openSignIn, type OpenPage } from './sign-in-setup.js';

const EXPIRED = 'This page is no longer valid';
const UNACCEPTABLE = 'The application’s request cannot be answered';
const NO_PAGE = 'There is no page here';
const UNREADABLE = 'Your answer could not be read';

/** What oidc-provider says about these errors, to developers. */
const FOR_DEVELOPERS =
  /interaction session|cookie|client is invalid|did not match|authorization request has expired|is invalid, expired/;

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority();
});
afterAll(() => authority.close());

interface Sent {
  readonly target: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** As a browser asks for a page. */
async function open({ headers, ...sent }: Sent): Promise<RawAnswer> {
  return rawRequest(authority.authority.url, {
    ...sent,
    headers: { accept: 'text/html,*/*;q=0.8', ...headers },
  });
}

function expectPage(answer: RawAnswer, status: number, title: string): void {
  expect({ status: answer.status, title: /<h1>(.*)<\/h1>/.exec(answer.text)?.[1] }).toEqual({
    status,
    title,
  });
  expect(answer.headers).not.toHaveProperty('location');
  expect(answer.headers['content-security-policy']).toBe(
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  );
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.text).not.toMatch(/<script|style=|http-equiv|href="(?!\/style.css)/);
  expect(answer.text).not.toMatch(FOR_DEVELOPERS);
}

const form = (page: OpenPage, more: Readonly<Record<string, string>> = {}): Sent => ({
  target: page.path,
  method: 'POST',
  headers: { cookie: page.cookie, 'content-type': 'application/x-www-form-urlencoded', ...more },
  body: 'do=cancel',
});

describe('a page in plain words answers', () => {
  it.each([
    ['a sign-in without its cookie', { target: '/interaction/unknown' }, 400, EXPIRED],
    ['the way back without its cookie', { target: '/auth/unknown' }, 400, EXPIRED],
    [
      'an application that is not registered',
      { client_id: 'nobody' },
      400,
      'This application is not known here',
    ],
    [
      'a redirect address that is not registered',
      { redirect_uri: 'https://evil.example/' },
      400,
      'You cannot go back to this application',
    ],
    [
      'a redirect address with another path',
      { redirect_uri: 'http://127.0.0.1:45678/callback/../steal' },
      400,
      'You cannot go back to this application',
    ],
    ['no application', { client_id: '' }, 400, UNACCEPTABLE],
    ['an unknown address', { target: '/nothing' }, 404, NO_PAGE],
    ['an address that cannot be decoded', { target: '/%E0%A4%A' }, 404, NO_PAGE],
    ['the start page', { target: '/' }, 404, NO_PAGE],
    ['an address for programs', { target: '/token' }, 404, NO_PAGE],
    ['an address for posting only', { target: '/session/end/confirm' }, 404, NO_PAGE],
    ['another method', { target: '/sign-out', method: 'PUT' }, 405, NO_PAGE],
  ] as const)('%s', async (_, sent, status, title) => {
    const request = 'target' in sent ? sent : { target: authorizationTarget(sent) };
    expectPage(await open(request), status, title);
  });

  it('the page of another sign-in', async () => {
    const [mine, other] = [await openSignIn(authority), await openSignIn(authority)];
    expectPage(await open({ target: other.path, headers: { cookie: mine.cookie } }), 400, EXPIRED);
  });

  it('a sign-in that was used already', async () => {
    const page = await openSignIn(authority);
    const { headers } = await open(form(page));
    const back = { target: String(headers['location']), headers: { cookie: page.cookie } };
    expect((await open(back)).text).toContain('error=access_denied');
    expectPage(await open(back), 400, EXPIRED);
    expectPage(await open(form(page)), 400, EXPIRED);
  });

  it('a sign-in that was open for too long', async () => {
    const page = await openSignIn(authority);
    const uid = page.path.replace('/interaction/', '');
    await sql`update authority.oidc_payload set expires_at = now() where id = ${uid}`.execute(
      authority.database.db,
    );
    expectPage(await open({ target: page.path, headers: { cookie: page.cookie } }), 400, EXPIRED);
  });

  it('a form from another site', async () => {
    const sent = form(await openSignIn(authority), { origin: 'https://evil.example' });
    expectPage(await open(sent), 403, 'This form came from another site');
  });

  it.each([
    ['is too long', {}, 'x'.repeat(20_000), 413],
    ['is not a form', { 'content-type': 'application/json' }, '{}', 415],
  ])('an answer that %s', async (_, headers, body, status) => {
    const sent = form(await openSignIn(authority), headers);
    expectPage(await open({ ...sent, body }), status, UNREADABLE);
  });
});

it('a program gets JSON where a person gets a page', async () => {
  const answer = await fetch(`${authority.issuer}/nothing`);
  expect([answer.status, await answer.json()]).toEqual([
    404,
    { error: 'NOT_FOUND', error_description: 'There is nothing at this address' },
  ]);
});

it('a request that cannot be accepted tells developers why', async () => {
  const { text } = await open({ target: authorizationTarget({ client_id: '' }) });
  expect(text).toContain('For the people who run the application: invalid_request: ');
  expect(text).toContain('client_id');
});

it('a failure is not blamed on anybody outside, and names nothing', async () => {
  const broken = await startTestAuthority();
  try {
    const { cookie, path } = await openSignIn(broken);
    await sql`alter table authority.oidc_payload rename to renamed`.execute(broken.database.db);
    const answer = await rawRequest(broken.authority.url, { target: path, headers: { cookie } });
    expectPage(answer, 500, 'Something went wrong here');
    expect(answer.text).not.toMatch(/relation|oidc_payload/);
  } finally {
    await broken.close();
  }
});

describe('when another person signs in with the same browser', () => {
  const NOOR = { user: 'noor', password: 'noor-demo' };

  async function signIn(person: BrowserlessPerson, who: typeof NOOR, will = {}) {
    const { url } = await authorizationRequest(await discover(authority), 'accounts:read', {
      prompt: 'login',
    });
    return person.follow(url, { ...who, ...will });
  }
  const sessions = async () =>
    (await authority.database.db.selectFrom('authority.ended_session').selectAll().execute()).length;

  it('they are asked on our own page, and the other person is signed out here only', async () => {
    const person = new BrowserlessPerson();
    await signIn(person, ALMA);
    const before = await sessions();
    const { callbackUrl, pages } = await signIn(person, NOOR);
    const asked = pages.find(({ markup }) => markup.includes('Another person is signed in'));
    expect(asked?.markup).toContain('Continue as Noor');
    expect(asked?.markup).not.toMatch(/Alma|<script/);
    expect(callbackUrl.searchParams.get('code')).not.toBeNull();
    expect(await sessions()).toBe(before + 1);
    // The same person is not asked.
    const again = await signIn(person, NOOR);
    expect(again.pages.filter(({ markup }) => markup.includes('Another person'))).toEqual([]);
  });

  it('although the application named the other person, the sign-in page says so', async () => {
    const person = new BrowserlessPerson();
    const client = await discover(authority);
    const first = await authorizationRequest(client, 'openid accounts:read');
    const { callbackUrl } = await person.follow(first.url, ALMA);
    const { id_token: hint = '' } = await oidc.authorizationCodeGrant(client, callbackUrl, {
      pkceCodeVerifier: first.verifier,
      expectedState: first.state,
    });
    const more = { id_token_hint: hint };
    const named = await authorizationRequest(client, 'openid accounts:read', { ...more, prompt: 'login' });
    await expect(person.follow(named.url, NOOR)).rejects.toThrow('The application asks for another person.');
    // Whoever is signed in already is told before.
    const other = new BrowserlessPerson();
    await signIn(other, NOOR);
    const { pages } = await other.follow(
      (await authorizationRequest(client, 'openid accounts:read', more)).url,
      ALMA,
    );
    expect(pages[0]?.markup).toContain('another person than the one who is signed in');
  });

  it('and they cancel, the other person stays signed in', async () => {
    const person = new BrowserlessPerson();
    await signIn(person, ALMA);
    const before = await sessions();
    const { callbackUrl } = await signIn(person, NOOR, { decide: 'refuse' });
    expect(callbackUrl.searchParams.get('error')).toBe('access_denied');
    expect(await sessions()).toBe(before);
  });
});
