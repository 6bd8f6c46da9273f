import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { expectNotReady, expectReady } from '../support/health.js';
import { until } from '../support/wait.js';
import {
  authorizationRequest,
  discover,
  startTestAuthority,
  STREAM_SECRET,
  type TestAuthority,
} from './setup.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority();
});
afterAll(() => authority.close());

it('is ready, and alive', async () => {
  await expectReady(authority.issuer);
});

it('is not ready while its database does not answer, and becomes ready by itself', async () => {
  await authority.database.setReachable(false);
  await expectNotReady(authority.issuer, 'DATABASE_UNREACHABLE');
  await authority.database.setReachable(true);
  await expectReady(authority.issuer);
});

it('is not ready while its database accepts no writes, as nobody could sign in', async () => {
  const { database, issuer } = authority;
  const { url } = await authorizationRequest(await discover(authority), 'accounts:read');
  await database.setReadOnly(true);
  await expectNotReady(issuer, 'DATABASE_UNREACHABLE');
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(500);
  await database.setReadOnly(false);
  await expectReady(issuer);
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(303);
});

it('is not ready while the table that requests need is missing', async () => {
  const { db } = authority.database;
  await sql`alter table authority.oidc_payload rename to away`.execute(db);
  await expectNotReady(authority.issuer, 'DATABASE_UNREACHABLE');
  await sql`alter table authority.away rename to oidc_payload`.execute(db);
  await expectReady(authority.issuer);
});

it('keeps nothing of its checks', async () => {
  await expectReady(authority.issuer);
  const rows = await authority.database.db.selectFrom('authority.oidc_payload').select('model').execute();
  expect(rows.map(({ model }) => model)).not.toContain('Readiness');
});

it.each([
  ['notReadyMs', { notReadyMs: -1 }],
  ['notReadyMs', { notReadyMs: 600_001 }],
  ['drainMs', { drainMs: 1.5 }],
  ['drainMs', { drainMs: Number.NaN }],
])('does not start with shutdown.%s of %o', async (name, shutdown) => {
  await expect(startTestAuthority({ shutdown })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining(`shutdown.${name}`) as string,
  });
});

describe('the end', () => {
  /** Begins a long poll, which is in flight until the authority ends it. */
  async function startPoll(): Promise<{ readonly answer: Promise<Response> }> {
    const headers = { authorization: `Bearer ${STREAM_SECRET}`, 'content-type': 'application/json' };
    const created = await fetch(`${authority.issuer}/ssf/streams`, { method: 'POST', headers, body: '{}' });
    const { behalf_stream_secret: secret, delivery } = (await created.json()) as {
      behalf_stream_secret: string;
      delivery: { endpoint_url: string };
    };
    const receiver = { ...headers, authorization: `Bearer ${secret}` };
    const before = await lastPoll();
    const answer = fetch(delivery.endpoint_url, { method: 'POST', headers: receiver, body: '{}' });
    await until(async () => (await lastPoll()) > before, 'the poll is in flight');
    return { answer };
  }

  async function lastPoll(): Promise<number> {
    const { db } = authority.database;
    const polls = await db.selectFrom('authority.stream').select('polled_at').execute();
    return Math.max(...polls.map(({ polled_at: at }) => at.getTime()));
  }

  it('is first announced, then finishes what is in flight and refuses connections', async () => {
    await authority.restart({ shutdown: { notReadyMs: 600_000 } });
    const drained = authority.authority.drain();
    await expectNotReady(authority.issuer, 'DRAINING');
    // Whoever still comes is served.
    expect((await fetch(`${authority.issuer}/jwks`)).status).toBe(200);
    const { answer } = await startPoll();
    await Promise.all([authority.authority.close(), drained]);
    expect((await answer).status).toBe(200);
    await expect(fetch(`${authority.issuer}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('names what is missing in addition', async () => {
    await authority.restart({ shutdown: { notReadyMs: 600_000 } });
    await authority.database.setReachable(false);
    const drained = authority.authority.drain();
    await expectNotReady(authority.issuer, 'DRAINING', 'DATABASE_UNREACHABLE');
    await authority.database.setReachable(true);
    await Promise.all([authority.authority.close(), drained]);
  });

  it('comes after the configured time', async () => {
    await authority.restart({ shutdown: { notReadyMs: 1, drainMs: 1 } });
    await authority.authority.drain();
    await until(
      () =>
        fetch(`${authority.issuer}/health/live`).then(
          () => false,
          () => true,
        ),
      'the authority has ended',
    );
  });
});
