import { sql } from 'kysely';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ChangeFeed } from '../../authority/changes/feed.js';
import { ConsentExpiry } from '../../authority/consent/expiry.js';
import { ConsentRegister, verifyConsents } from '../../authority/internal.js';
import type { AuthorityDatabase } from '../../authority/schema.js';
import { openDatabase } from '../../store/index.js';
import { injectDatabaseClock } from '../support/database-clock.js';
import { signInAndConsent } from '../support/person.js';
import { authorizationRequest, discover, exchange, startTestAuthority, type TestAuthority } from './setup.js';
import { untilMoment } from '../support/wait.js';
import { consentTerms, grantBriefly } from '../support/consent-terms.js';

const SILENT = { log: () => undefined };
const SOON = { timeout: 20_000, interval: 50 };

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority({
    durations: [
      { seconds: 3_600, label: '1 hour' },
      { seconds: 3, label: 'a moment' },
    ],
  });
});
afterAll(() => authority.close());

const soon = (milliseconds: number): Date => new Date(Date.now() + milliseconds);

async function expiries(ids: readonly string[]) {
  const { db } = authority.database;
  const events = await db
    .selectFrom('authority.consent_event')
    .select(['record_id', 'event_time', 'valid_until'])
    .where('event_type', '=', 'expired')
    .where('record_id', 'in', [...ids])
    .execute();
  const changes = await db
    .selectFrom('authority.change_event')
    .select(['members', 'reason', 'initiator'])
    .where(sql<string>`members ->> 'consentId'`, 'in', [...ids])
    .execute();
  return { events, changes };
}

describe('a consent that ends', () => {
  it('ends on time: event, change for gateways, and no refresh token left', async () => {
    const client = await discover(authority);
    const request = await authorizationRequest(client, 'accounts:read');
    const who = { user: 'alma', password: 'alma-demo', duration: 'a moment' };
    const { callbackUrl } = await signInAndConsent({ authorizationUrl: request.url, ...who });
    const tokens = await exchange(client, callbackUrl, request);
    const { consent } = decodeJwt<{ consent: { id: string } }>(tokens.access_token);
    await expect.poll(async () => (await expiries([consent.id])).events.length, SOON).toBe(1);

    const { events, changes } = await expiries([consent.id]);
    expect(changes).toEqual([
      {
        members: { consentId: consent.id, subject: 'c-000001', clientId: 'budget-app' },
        reason: 'expired',
        initiator: 'policy',
      },
    ]);
    for (const { event_time: at, valid_until: until } of events) {
      expect(at.getTime()).toBeGreaterThanOrEqual(until.getTime());
    }
    const left = await authority.database.db
      .selectFrom('authority.oidc_payload')
      .select('model')
      .where('grant_id', '=', consent.id)
      .execute();
    expect(left).toEqual([]);
    await expect(oidc.refreshTokenGrant(client, tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(await authority.consents.find(consent.id)).toMatchObject({
      status: 'expired',
      endedBy: 'authority',
    });
  });

  it('is not missed if it ends before the timer', async () => {
    const later = await authority.consents.grant(consentTerms('patient', { until: soon(3_600_000) }));
    const sooner = await grantBriefly(authority.consents, 'hasty', 1_500);
    await expect.poll(async () => (await expiries([sooner.id])).changes.length, SOON).toBe(1);
    // Narrowing to an earlier end resets the timer, too.
    const { consent } = await authority.consents.narrow(later.id, { by: 'patient', until: soon(1_500) });
    await expect.poll(async () => (await expiries([consent?.id ?? ''])).changes.length, SOON).toBe(1);
  });

  it('is ended by the next instance if none was running', async () => {
    await authority.authority.close();
    const { id, until } = await grantBriefly(authority.consents, 'forgotten', 1_500);
    await untilMoment(until.getTime() + 1);
    expect(await expiries([id])).toEqual({ events: [], changes: [] });
    await authority.restart();
    await expect.poll(async () => (await expiries([id])).changes.length, SOON).toBe(1);
  });

  it('is ended once by many instances, as is each of a crowd', async () => {
    const end = soon(600_000);
    const granted = await Promise.all(
      Array.from({ length: 150 }, (_, index) =>
        authority.consents.grant(consentTerms(`crowd-${index}`, { until: end })),
      ),
    );
    const ids = granted.map(({ id }) => id);
    // Connections from now on find that they have ended.
    const clock = await injectDatabaseClock(authority.database.db);
    await clock.set(601);
    const db: AuthorityDatabase = openDatabase(authority.database.url);
    const consents = new ConsentRegister(db);
    const instances = await Promise.all(
      [1, 2].map(async () => {
        const feed = new ChangeFeed(authority.database.url, SILENT, 'expiry');
        await feed.open();
        return { feed, expiry: new ConsentExpiry({ consents, feed, log: SILENT }) };
      }),
    );
    try {
      await expect.poll(async () => (await expiries(ids)).events.length, SOON).toBe(ids.length);
      const { changes, events } = await expiries(ids);
      expect(new Set(events.map(({ record_id: id }) => id)).size).toBe(ids.length);
      expect(changes).toHaveLength(ids.length);
    } finally {
      for (const { expiry, feed } of instances) {
        await expiry.close();
        await feed.close();
      }
      await clock.set(0);
      await db.destroy();
    }
    expect((await verifyConsents(authority.database.db)).differences).toEqual([]);
  });
});
