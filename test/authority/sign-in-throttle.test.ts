import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { KnownBrowsers } from '../../authority/accounts/known-browsers.js';
import { type Attempt, SIGN_IN_RATES, SignInThrottle } from '../../authority/accounts/throttle.js';
import { normalizeUsername } from '../../authority/accounts/username.js';
import { TokenBuckets } from '../../authority/http/token-buckets.js';
import { ManualClock } from '../support/manual-clock.js';
import { cookiesOf, openSignIn, type OpenPage, submitSignIn } from './sign-in-setup.js';
import { startTestAuthority, type TestAuthority } from './setup.js';

const ISSUER = 'https://login.example';

/** Counts anew for each test. */
let authority: TestAuthority;
let page: OpenPage;
beforeAll(async () => {
  authority = await startTestAuthority({ issuer: ISSUER });
});
afterAll(() => authority.close());

async function afresh(more: Parameters<TestAuthority['restart']>[0] = {}): Promise<void> {
  await authority.restart(more);
  page = await openSignIn(authority);
}

async function guess(user: string, address: string, more: Record<string, string> = {}, password = 'wrong') {
  return submitSignIn(authority, page, { user, password }, { 'x-forwarded-for': address, ...more });
}

/** How many of the guesses were checked; the others must have been refused. */
async function lookedAt(guesses: readonly (() => Promise<{ readonly status: number }>)[]): Promise<number> {
  let count = 0;
  for (const each of guesses) {
    const { status } = await each();
    expect([401, 429]).toContain(status);
    if (status === 401) count += 1;
  }
  return count;
}

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('guesses for one name', () => {
  it.each<[string, (index: number) => string]>([
    ['from one address', () => '203.0.113.7'],
    ['from addresses of one IPv6 /64', (index) => `2001:db8:7:7:${index.toString(16)}::${index}`],
    [
      'from one address that is written as IPv4 and as IPv6',
      (index) => (index % 2 ? '203.0.113.7' : '::ffff:203.0.113.7'),
    ],
    ['from one 6to4 network', (index) => `2002:cb00:7107:${index}::1`],
    ['from one address, with others forged before it', (index) => `198.51.100.${index}, 203.0.113.7`],
  ])('%s are checked five times', async (_, address) => {
    await afresh();
    expect(await lookedAt(times(12, (index) => () => guess('iris', address(index))))).toBe(5);
    expect((await guess('iris', address(1), {}, 'iris-demo')).status).toBe(429);
    expect((await guess('iris', '2001:db8:8:8::1')).status).toBe(401);
  });

  it('from 20 networks are checked ten times', async () => {
    await afresh();
    expect(await lookedAt(times(20, (index) => () => guess('iris', `2001:db8:9:${index}::1`)))).toBe(10);
    expect((await guess('noor', '2001:db8:9:1::1')).status).toBe(401);
  });

  it('count together however the name is spelled', async () => {
    await afresh();
    const spellings = ['iris', 'IRIS', ' iris ', 'ｉｒｉｓ', 'ⅰris', 'Iris\t'];
    const all = times(12, (index) => () => guess(spellings[index % 6] ?? '', '203.0.113.7'));
    expect(await lookedAt(all)).toBe(5);
  });

  it('are told when to try again', async () => {
    await afresh();
    await lookedAt(times(5, () => () => guess('iris', '203.0.113.7')));
    const refused = await guess('iris', '203.0.113.7');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(refused.text).toContain('Too many wrong passwords');
  });
});

describe('guesses from one network', () => {
  it.each<[string, (index: number) => string]>([
    ['IPv4', () => '203.0.113.8'],
    ['IPv6 /64', (index) => `2001:db8:a:a::${index}`],
    ['no address at all', (index) => `not an address ${index}`],
  ])('for 60 names are checked thirty times: %s', async (kind, address) => {
    // The rate is counted by this clock, which stands still.
    await afresh({ clock: new ManualClock() });
    const looked = await lookedAt(times(60, (index) => () => guess(`person-${index}`, address(index))));
    expect(looked).toBe(30);
    if (kind !== 'no address at all') expect((await guess('person-1', '203.0.113.99')).status).toBe(401);
  });

  it('are not reset by a correct password of one’s own', async () => {
    await afresh();
    const wrong: number[] = [];
    for (let index = 0; index < 8; index++) {
      page = await openSignIn(authority, '203.0.113.9');
      expect((await guess('alma', '203.0.113.9', {}, 'alma-demo')).status).toBe(303);
      page = await openSignIn(authority, '203.0.113.9');
      wrong.push((await guess('iris', '203.0.113.9')).status);
    }
    expect(wrong.filter((status) => status === 401)).toHaveLength(5);
  });

  it('do not count when they are right: a whole office signs in', async () => {
    await afresh();
    for (let index = 0; index < 35; index++) {
      page = await openSignIn(authority, '203.0.113.10');
      expect((await guess('alma', '203.0.113.10', {}, 'alma-demo')).status).toBe(303);
    }
  });
});

describe('X-Forwarded-For', () => {
  it('is ignored without a proxy, and allows no further guesses', async () => {
    const plain = await startTestAuthority();
    const opened = await openSignIn(plain);
    const typed = { user: 'iris', password: 'wrong' };
    const statuses = [];
    for (let index = 0; index < 8; index++) {
      const headers = { 'x-forwarded-for': `203.0.113.${index}` };
      statuses.push((await submitSignIn(plain, opened, typed, headers)).status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    await plain.close();
  });

  it('from a proxy that is not named is ignored', async () => {
    await afresh({ proxies: ['192.0.2.1'] });
    expect(await lookedAt(times(8, (index) => () => guess('iris', `203.0.113.${index}`)))).toBe(5);
  });

  it.each([
    ['what is not an address', { proxies: ['login.example'] }],
    ['no proxy, on an address that others reach', { host: '0.0.0.0', demo: false }],
  ])('%s stops the start of an https issuer', async (_, more) => {
    await expect(startTestAuthority({ issuer: ISSUER, ...more })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
  });
});

describe('a person whose name others guess', () => {
  function browserCookie(answer: Awaited<ReturnType<typeof guess>>): string {
    const line = cookiesOf(answer).find((each) => each.startsWith('behalf_browser='));
    expect(line).toMatch(/; Path=\/interaction; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/);
    return line?.split(';', 1)[0] ?? '';
  }
  const attack = () => lookedAt(times(12, (index) => () => guess('alma', `2001:db8:b:${index}::1`)));

  it('signs in from a known browser, and from no other meanwhile', async () => {
    await afresh();
    const known = browserCookie(await guess('alma', '203.0.113.20', {}, 'alma-demo'));
    page = await openSignIn(authority);
    await attack();
    expect((await guess('alma', '203.0.113.21', {}, 'alma-demo')).status).toBe(429);
    expect((await guess('alma', '203.0.113.21', { 'x-cookie': known }, 'alma-demo')).status).toBe(303);
  });

  it('is not exposed by a made-up cookie or somebody else’s', async () => {
    await afresh();
    const other = browserCookie(await guess('noor', '203.0.113.22', {}, 'noor-demo'));
    page = await openSignIn(authority);
    await attack();
    const madeUp = new KnownBrowsers('another secret').issue('alma');
    for (const cookie of [other, `behalf_browser=${madeUp}`, 'behalf_browser=', 'behalf_browser=a.b.c']) {
      expect((await guess('alma', '203.0.113.22', { 'x-cookie': cookie }, 'alma-demo')).status).toBe(429);
    }
  });

  it('a known browser gets five guesses, too', async () => {
    await afresh();
    const known = browserCookie(await guess('alma', '203.0.113.23', {}, 'alma-demo'));
    page = await openSignIn(authority);
    const all = times(10, (index) => () => guess('alma', `203.0.113.${index}`, { 'x-cookie': known }));
    expect(await lookedAt(all)).toBe(5);
  });

  it('a known browser is forgotten after its time', async () => {
    const clock = new ManualClock();
    const browsers = new KnownBrowsers('secret', clock);
    const cookie = browsers.issue('alma');
    expect(browsers.identify(cookie, 'alma')).toMatch(/^[\w-]{22}$/);
    expect(browsers.identify(cookie, 'noor')).toBeUndefined();
    await clock.advance(90 * 24 * 60 * 60 * 1_000);
    expect(browsers.identify(cookie, 'alma')).toBeUndefined();
  });
});

it.each(['a\0b', '\0', 'x'.repeat(5_000), '\ud800', "' or 1=1 --"])(
  'an impossible name is wrong like any other',
  async (name) => {
    await afresh();
    expect((await guess(name, '203.0.113.30')).status).toBe(401);
  },
);

describe('the throttle', () => {
  const attempt = (more: Partial<Attempt> = {}): Attempt => ({
    name: 'alma',
    network: '203.0.113.1',
    browser: undefined,
    ...more,
  });

  it('releases a name within a minute after an attack ends', async () => {
    const clock = new ManualClock();
    const throttle = new SignInThrottle(clock);
    for (let index = 0; index < 10_000; index++) throttle.admit(attempt({ network: `n${index}` }));
    const waitMs = throttle.admit(attempt({ network: 'home' }));
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(SIGN_IN_RATES.name.everyMs);
    await clock.advance(waitMs);
    expect(throttle.admit(attempt({ network: 'home' }))).toBe(0);
  });

  it('counts concurrent guesses before any of them is checked', () => {
    const throttle = new SignInThrottle(new ManualClock());
    const admitted = times(20, () => throttle.admit(attempt())).filter((waitMs) => waitMs === 0);
    expect(admitted).toHaveLength(5);
  });

  it('remembers a bounded number of names and networks, the latest', () => {
    const buckets = new TokenBuckets({ burst: 1, everyMs: 1_000 }, new ManualClock());
    for (let index = 0; index < 50_000; index++) buckets.take(`key-${index}`);
    expect(buckets.size).toBe(20_000);
    expect(buckets.waitMs('key-49999')).toBe(1_000);
  });

  it('a name has one spelling', () => {
    expect(['Ａlma', ' ALMA', 'alma\n'].map(normalizeUsername)).toEqual(['alma', 'alma', 'alma']);
  });
});
