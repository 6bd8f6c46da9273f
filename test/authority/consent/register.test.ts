import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { toConsent } from '../../../authority/consent/rows.js';
import type { Consent } from '../../../authority/consent/types.js';
import { BY_ADMIN, MINUTE_MS, terms, TestStore } from './support.js';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());

const PAST = new Date(Date.now() - MINUTE_MS);
const subjectsOf = (consents: readonly Consent[]): string[] => consents.map(({ subject }) => subject);

/** One consent in each state, of `<name>-<state>`. */
async function inEachState(clientId: string): Promise<Record<string, Consent>> {
  const made: Record<string, Consent> = {};
  for (const state of ['active', 'revoked', 'replaced', 'lapsed', 'expired'])
    made[state] = await store.register.grant(terms(`${clientId}-${state}`, { clientId }));
  const idOf = (state: string): string => made[state]?.id ?? '';
  await store.register.revokeConsent(idOf('revoked'), BY_ADMIN);
  await store.register.narrow(idOf('replaced'), { by: `${clientId}-replaced`, removeScopes: ['a'] });
  await store.change(idOf('expired'), { until: PAST });
  await store.register.recordExpired(100);
  await store.change(idOf('lapsed'), { until: PAST });
  return made;
}

describe('the state of a consent', () => {
  it('is over at the moment of its end, recorded or not', async () => {
    const { id } = await store.register.grant(terms('moment'));
    const row = await store.row(id);
    const endMs = row.until.getTime();
    expect(toConsent(row, endMs - 1)).toMatchObject({ status: 'active', endedAt: undefined });
    expect(toConsent(row, endMs)).toMatchObject({ status: 'expired', endedAt: row.until });
    expect(toConsent({ ...row, status: 'revoked', ended_at: PAST }, endMs)).toMatchObject({
      status: 'revoked',
      endedAt: PAST,
    });
  });

  it('is found by identifier, and in force by person and client', async () => {
    const made = await inEachState('finder');
    expect(await store.register.find('no such')).toBeUndefined();
    expect(await store.register.find(made['lapsed']?.id ?? '')).toMatchObject({
      status: 'expired',
      endedAt: PAST,
    });
    expect(await store.register.findActive('finder-active', 'finder')).toEqual(made['active']);
    expect(await store.register.findActive('finder-active', 'other')).toBeUndefined();
    expect(await store.register.findActive('other', 'finder')).toBeUndefined();
    for (const state of ['revoked', 'lapsed', 'expired'])
      expect(await store.register.findActive(`finder-${state}`, 'finder')).toBeUndefined();
  });
});

describe('a list of consents', () => {
  it('is of one person, the newest first', async () => {
    const first = await store.register.grant(terms('lister', { clientId: 'one' }));
    const second = await store.register.grant(terms('lister', { clientId: 'two' }));
    await store.register.grant(terms('other lister'));
    expect((await store.register.listForSubject('lister')).map(({ id }) => id)).toEqual([
      second.id,
      first.id,
    ]);
  });

  it('is in the order of identifiers where consents are equally new', async () => {
    const consents = [];
    for (const clientId of ['one', 'two', 'three', 'four']) {
      const { id } = await store.register.grant(terms('twin', { clientId }));
      await store.change(id, { granted_at: PAST });
      consents.push(id);
    }
    const ordered = consents.toSorted().toReversed();
    expect((await store.register.listForSubject('twin')).map(({ id }) => id)).toEqual(ordered);
    const page = await store.register.list({ subject: 'twin' }, { first: 2 });
    const next = await store.register.list({ subject: 'twin' }, { first: 2, after: page.cursor });
    expect([...page.items, ...next.items].map(({ id }) => id)).toEqual(ordered);
    expect(next.cursor).toBeUndefined();
  });

  it('has twenty of them, unless asked for more or fewer', async () => {
    for (let index = 0; index < 22; index += 1)
      await store.register.grant(terms(`page-${index}`, { clientId: 'paged' }));
    const filter = { clientId: 'paged' };
    const expected = Array.from({ length: 22 }, (_, index) => `page-${21 - index}`);
    const page = await store.register.list(filter);
    expect(subjectsOf(page.items)).toEqual(expected.slice(0, 20));
    const rest = await store.register.list(filter, { after: page.cursor });
    expect(subjectsOf(rest.items)).toEqual(expected.slice(20));
    expect(rest.cursor).toBeUndefined();
    const all = await store.register.list(filter, { first: 22 });
    expect([all.items.length, all.cursor]).toEqual([22, undefined]);
    const one = await store.register.list(filter, { first: 1 });
    expect(subjectsOf(one.items)).toEqual(expected.slice(0, 1));
    expect((await store.register.list(filter, { first: 100 })).items).toHaveLength(22);
    expect((await store.register.list()).items).toHaveLength(20);
  });

  it.each([0, 101, 1.5, -1, Number.NaN])('has no page of %d', async (first) => {
    await expect(store.register.list({}, { first })).rejects.toThrow(
      new RangeError('A page has 1 to 100 consents'),
    );
  });

  it.each([
    '',
    'nonsense',
    '1 a b',
    'x1 a',
    '1 a!',
    '1',
    '1  a',
    '1 a\n',
    `${'1'.repeat(16)} a`,
    `1 ${'a'.repeat(65)}`,
  ])('does not begin at a cursor that was not given out: %j', async (text) => {
    const after = Buffer.from(text).toString('base64url');
    await expect(store.register.list({}, { after })).rejects.toThrow(
      new RangeError('Not a cursor of a list of consents'),
    );
  });

  it('is of one person, of one client, or of a state', async () => {
    const made = await inEachState('filter');
    const clientId = 'filter';
    const ids = async (filter: object): Promise<string[]> =>
      (await store.register.list({ clientId, ...filter })).items.map(({ id }) => id);
    const idsOf = (...states: readonly string[]): (string | undefined)[] =>
      states.map((state) => made[state]?.id);
    const left = await store.register.findActive('filter-replaced', 'filter');
    expect(await ids({ status: 'active' })).toEqual([left?.id, ...idsOf('active')]);
    expect(await ids({ status: 'revoked' })).toEqual(idsOf('revoked'));
    expect(await ids({ status: 'replaced' })).toEqual(idsOf('replaced'));
    expect(await ids({ status: 'expired' })).toEqual(idsOf('expired', 'lapsed'));
    expect(await ids({ subject: 'filter-active' })).toEqual(idsOf('active'));
    expect(await ids({ subject: 'other' })).toEqual([]);
    expect(await ids({})).toHaveLength(6);
    const { items } = await store.register.list({ clientId, status: 'expired' });
    expect(items.map(({ status }) => status)).toEqual(['expired', 'expired']);
  });
});

describe('an export of a person’s consents', () => {
  it('by staff is on record, and by themselves is not', async () => {
    await store.register.grant(terms('exported'));
    const part = await store.register.exportForRequest('exported', {
      by: 'staff',
      reason: 'asked by letter',
    });
    expect(part.document.pii_principal_id).toBe('exported');
    expect((await store.register.exportOwn('exported')).document.records).toEqual(part.document.records);
    const rows = await store.db.selectFrom('authority.consent_export').selectAll().execute();
    expect(rows).toMatchObject([
      { pii_principal_id: 'exported', entity_id: 'staff', reason: 'asked by letter', records: 1 },
    ]);
  });
});

describe('consents that expire', () => {
  beforeEach(async () => {
    await store.register.recordExpired(1_000);
    for (const { id } of (await store.register.list({ status: 'active' }, { first: 100 })).items)
      await store.register.revokeConsent(id, BY_ADMIN);
  });

  const past = (seconds: number): Date => new Date(Date.now() - seconds * 1_000);
  async function lapsed(subject: string, until: Date): Promise<string> {
    const { id } = await store.register.grant(terms(subject));
    await store.change(id, { until });
    return id;
  }

  it('are ended with their tokens, and the gateways are told', async () => {
    const until = past(10);
    const id = await lapsed('expiring', until);
    const revoked = await store.register.grant(terms('already revoked'));
    await store.register.revokeConsent(revoked.id, BY_ADMIN);
    await store.change(revoked.id, { until });
    const standing = await store.register.grant(terms('standing'));
    for (const grant of [id, standing.id]) await store.hold('RefreshToken', grant, { grant_id: grant });
    const changes = (await store.changes()).length;

    expect(await store.register.recordExpired(100)).toBe(1);
    expect(await store.register.find(id)).toMatchObject({
      status: 'expired',
      endedAt: until,
      endedBy: 'authority',
    });
    expect(await store.row(id)).toMatchObject({ status: 'expired', ended_at: until, ended_reason: null });
    expect(await store.register.find(standing.id)).toEqual(standing);
    expect(await store.register.find(revoked.id)).toMatchObject({ status: 'revoked' });
    expect(await store.held()).toEqual([standing.id]);
    const logged = await store.changes();
    expect(logged).toHaveLength(changes + 1);
    expect(logged.at(-1)).toMatchObject({
      kind: expect.stringContaining('session-revoked') as string,
      members: { consentId: id, subject: 'expiring', clientId: 'app' },
      initiator: 'policy',
      reason: 'expired',
    });
    expect((await store.events(id)).at(-1)).toMatchObject({
      event_type: 'expired',
      entity_id: 'authority',
      event_time: logged.at(-1)?.occurred_at,
      valid_until: until,
    });
    expect(await store.register.recordExpired(100)).toBe(0);
    expect(await store.changes()).toHaveLength(changes + 1);
  });

  it('are ended at most so many at a time, the oldest first', async () => {
    await lapsed('second', past(20));
    await lapsed('third', past(10));
    await lapsed('first', past(30));
    expect(await store.register.recordExpired(2)).toBe(2);
    const ended = (await store.changes()).slice(-2).map(({ members }) => members);
    expect(ended).toMatchObject([{ subject: 'first' }, { subject: 'second' }]);
    expect(await store.register.recordExpired(2)).toBe(1);
  });

  it('are ended once by instances that share the work', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => lapsed(`shared-${name}`, past(10))));
    const ended = await Promise.all([1, 2, 3].map(() => store.register.recordExpired(4)));
    const rest = await store.register.recordExpired(4);
    expect([...ended, rest].reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  it('are waited for', async () => {
    expect(await store.register.nextExpiryMs()).toBeUndefined();
    await store.register.grant(terms('later', { until: new Date(Date.now() + 100_000) }));
    const { id } = await store.register.grant(terms('sooner', { until: new Date(Date.now() + 50_000) }));
    const ms = (await store.register.nextExpiryMs()) ?? 0;
    expect(ms).toBeGreaterThan(30_000);
    expect(ms).toBeLessThanOrEqual(50_000);
    expect(Number.isInteger(ms)).toBe(true);
    await store.change(id, { until: past(10) });
    expect(await store.register.nextExpiryMs()).toBe(0);
  });
});
