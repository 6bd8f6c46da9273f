import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { PENDING_RATE, PendingRequests } from '../../authority/oidc/pending-requests.js';
import type { AuthorityDatabase } from '../../authority/schema.js';
import { ManualClock } from '../support/manual-clock.js';
import { rawRequest, type RawAnswer } from './raw-request.js';
import { authorizationTarget, cookieHeader, openSignIn, submitSignIn } from './sign-in-setup.js';
import { CONSOLE_SECRET, startTestAuthority, type TestAuthority } from './setup.js';

let authority: TestAuthority;
let db: AuthorityDatabase;
beforeAll(async () => {
  authority = await startTestAuthority({ issuer: 'https://login.example' });
  db = authority.database.db;
});
afterEach(async () => {
  await db.deleteFrom('authority.oidc_payload').execute();
  await authority.restart();
});
afterAll(() => authority.close());

async function models(): Promise<Record<string, number>> {
  const rows = await db.selectFrom('authority.oidc_payload').select('model').execute();
  const counts: Record<string, number> = {};
  for (const { model } of rows) counts[model] = (counts[model] ?? 0) + 1;
  return counts;
}

type Shape = (index: number) => Parameters<typeof rawRequest>[1];
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const from = (address: string) => ({ 'x-forwarded-for': address });
const formOf = (target: string) => target.slice(target.indexOf('?') + 1);

async function flood(count: number, shape: Shape): Promise<readonly RawAnswer[]> {
  const answers: RawAnswer[] = [];
  for (let index = 0; index < count; index++)
    answers.push(await rawRequest(authority.authority.url, shape(index)));
  return answers;
}

const FLOODS: readonly (readonly [string, Shape])[] = [
  ['GET /auth', () => ({ target: authorizationTarget(), headers: from('203.0.113.1') })],
  [
    'GET /AUTH',
    () => ({ target: authorizationTarget().replace('/auth', '/AUTH'), headers: from('203.0.113.1') }),
  ],
  [
    'GET /auth from addresses of one /64',
    (index) => ({ target: authorizationTarget(), headers: from(`2001:db8:1:1::${index.toString(16)}`) }),
  ],
  [
    'RFC 9126: POST /request of an application without a secret',
    () => ({
      target: '/request',
      method: 'POST',
      headers: { ...FORM, ...from('203.0.113.1') },
      body: formOf(authorizationTarget()),
    }),
  ],
];

describe('what anonymous clients can store is bounded per network', () => {
  it.each(FLOODS)('%s', async (_, shape) => {
    const answers = await flood(200, shape);
    const refused = answers.filter(({ status }) => status === 429);
    const stored = Object.values(await models()).reduce((sum, count) => sum + count, 0);
    expect(stored).toBe(200 - refused.length);
    // The bucket refills while the test runs.
    expect(stored).toBeGreaterThanOrEqual(PENDING_RATE.burst);
    expect(stored).toBeLessThan(180);
    expect(Object.keys(await models())).toHaveLength(1);
    for (const { headers, text } of refused) {
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(headers['location']).toBeUndefined();
      expect(text).toContain('temporarily_unavailable');
    }
    // Others are unaffected, and a sign-in in progress can be finished.
    await expect(openSignIn(authority, '203.0.113.2')).resolves.toHaveProperty('path');
  });

  it('a started sign-in can finish even from a network at its limit', async () => {
    const page = await openSignIn(authority, '203.0.113.1');
    const [, shape] = FLOODS[0] ?? [];
    if (shape !== undefined) await flood(200, shape);
    const headers = from('203.0.113.1');
    const signedIn = await submitSignIn(authority, page, { user: 'alma', password: 'alma-demo' }, headers);
    expect(signedIn.status).toBe(303);
    const resumed = await rawRequest(authority.authority.url, {
      target: String(signedIn.headers['location']),
      headers: { ...headers, cookie: page.cookie },
    });
    expect(resumed.status).toBe(303);
    const consent = await rawRequest(authority.authority.url, {
      target: String(resumed.headers['location']),
      headers: { ...headers, cookie: cookieHeader(resumed) },
    });
    expect([consent.status, consent.text.includes('Allow')]).toEqual([200, true]);
  });

  it('RFC 9126: an authenticated application pushes without this limit', async () => {
    const push = (secret: string): Shape => {
      const basic = Buffer.from(`bank-console:${secret}`).toString('base64');
      const body = formOf(authorizationTarget({ client_id: 'bank-console' }));
      const headers = { ...FORM, ...from('203.0.113.1'), authorization: `Basic ${basic}` };
      return () => ({ target: '/request', method: 'POST', headers, body });
    };
    const impostor = await flood(10, push('wrong'));
    expect(impostor.every(({ status }) => status === 401)).toBe(true);
    expect(await models()).toEqual({});
    const count = PENDING_RATE.burst + 60;
    const itself = await flood(count, push(CONSOLE_SECRET));
    expect(itself.every(({ status }) => status === 201)).toBe(true);
    expect(await models()).toEqual({ PushedAuthorizationRequest: count });
  });
});

describe('what anonymous clients can store is bounded in total', () => {
  const clock = new ManualClock();

  it('answers 503 beyond the limit, and loses no pending request', async () => {
    const pending = new PendingRequests({ db, clock, atMost: 5 });
    const store = async (id: string) =>
      db.insertInto('authority.oidc_payload').values({ model: 'Interaction', id, payload: '{}' }).execute();
    for (const network of ['a', 'b', 'c', 'd', 'e']) {
      await pending.admit(network);
      await store(network);
    }
    await expect(pending.admit('f')).rejects.toMatchObject({
      statusCode: 503,
      error: 'temporarily_unavailable',
    });
    await clock.advance(1_000);
    await expect(pending.admit('f')).rejects.toMatchObject({ statusCode: 503 });
    expect(await models()).toEqual({ Interaction: 5 });
    await db.deleteFrom('authority.oidc_payload').where('id', '=', 'a').execute();
    await clock.advance(1_000);
    await pending.admit('f');
    await expect(pending.admit('g')).rejects.toMatchObject({ statusCode: 503 });
  });

  it('counts requests of other instances, and expired ones until they are removed', async () => {
    const expires_at = new Date(0);
    const row = { model: 'PushedAuthorizationRequest', payload: '{}', expires_at };
    await db
      .insertInto('authority.oidc_payload')
      .values([
        { ...row, id: '1' },
        { ...row, id: '2' },
      ])
      .execute();
    await expect(new PendingRequests({ db, clock, atMost: 2 }).admit('a')).rejects.toMatchObject({
      statusCode: 503,
    });
    await expect(new PendingRequests({ db, clock, atMost: 3 }).admit('a')).resolves.toBeUndefined();
  });

  it('admits no more than the limit when many arrive together', async () => {
    const pending = new PendingRequests({ db, clock, atMost: 7 });
    const all = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => pending.admit(`n${index}`)),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
  });
});
