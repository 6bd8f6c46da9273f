import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BY_ADMIN, LATER, MINUTE_MS, NOTICE, terms, TestStore } from './support.js';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());

const before = (date: Date): Date => new Date(date.getTime() - MINUTE_MS);
const after = (date: Date): Date => new Date(date.getTime() + MINUTE_MS);

describe('the first consent for a client', () => {
  it('is in force as it was given', async () => {
    const given = terms('first', { declined: ['c'], declinedPurposes: ['r'], policyVersion: 'v1' });
    const consent = await store.register.grant(given);
    expect(consent).toEqual({
      id: expect.any(String) as string,
      version: 1,
      subject: 'first',
      clientId: 'app',
      scopes: ['a', 'b'],
      declined: ['c'],
      purposes: ['p', 'q'],
      declinedPurposes: ['r'],
      detail: 'full',
      levels: {},
      status: 'active',
      grantedAt: expect.any(Date) as Date,
      until: LATER,
      endedAt: undefined,
      endedBy: undefined,
      endedReason: undefined,
    });
    expect(await store.register.find(consent.id)).toEqual(consent);
    expect(Math.abs(consent.grantedAt.getTime() - Date.now())).toBeLessThan(MINUTE_MS);
    expect(await store.row(consent.id)).toMatchObject({ tokens_not_before: null });
    expect(await store.changes()).toEqual([]);
  });

  it('is on record as what the client asked for, and as what the person gave', async () => {
    const given = terms('recorded', { declined: ['c'], declinedPurposes: ['r'], policyVersion: 'v1' });
    const { id, grantedAt } = await store.register.grant(given);
    const common = {
      record_id: id,
      event_time: grantedAt,
      pii_principal_id: 'recorded',
      client_id: 'app',
      detail: 'full',
      valid_until: LATER,
      version: 1,
      reason: null,
      policy_version: 'v1',
      replaces: null,
    };
    expect(await store.events(id)).toMatchObject([
      {
        ...common,
        event_type: 'requested',
        entity_id: 'app',
        scopes: ['a', 'b', 'c'],
        declined: [],
        purposes: ['p', 'q', 'r'],
        declined_purposes: [],
        privacy_notice: null,
      },
      {
        ...common,
        event_type: 'granted',
        entity_id: 'recorded',
        scopes: ['a', 'b'],
        declined: ['c'],
        purposes: ['p', 'q'],
        declined_purposes: ['r'],
        privacy_notice: NOTICE,
      },
    ]);
  });

  it('needs no purposes, and no version of a policy', async () => {
    const { id } = await store.register.grant(terms('plain', { purposes: [] }));
    expect(await store.events(id)).toMatchObject([
      { purposes: [], declined_purposes: [], policy_version: null },
      { purposes: [], declined_purposes: [], policy_version: null },
    ]);
  });

  it.each([
    ['without a scope', { scopes: [] }, 'A consent must have a scope'],
    ['that is over', { until: new Date(Date.now() - 1) }, 'A consent must end in the future'],
    ['that ends at no time', { until: new Date(Number.NaN) }, 'A consent must end in the future'],
  ])('is refused %s', async (_name, more, message) => {
    await expect(store.register.grant(terms('refused', more))).rejects.toThrow(new RangeError(message));
    expect(await store.register.listForSubject('refused')).toEqual([]);
  });

  it('is refused for a retired application, and given for one that is not', async () => {
    const application = { registration: '{}', registered_at: new Date(), changed_at: new Date() };
    await store.db
      .insertInto('authority.application')
      .values([
        { ...application, client_id: 'retired', retired_at: new Date() },
        { ...application, client_id: 'standing' },
      ])
      .execute();
    await expect(store.register.grant(terms('tenant', { clientId: 'retired' }))).rejects.toThrow(
      new RangeError('The application is retired'),
    );
    expect(await store.register.grant(terms('tenant', { clientId: 'standing' }))).toMatchObject({
      version: 1,
    });
  });
});

describe('a consent after one that is over', () => {
  it('is another one, and counts on', async () => {
    const first = await store.register.grant(terms('again'));
    await store.register.revokeConsent(first.id, BY_ADMIN);
    const second = await store.register.grant(terms('again'));
    await store.register.revokeConsent(second.id, BY_ADMIN);
    const third = await store.register.grant(terms('again', { declined: ['c'] }));
    expect([first.version, second.version, third.version]).toEqual([1, 2, 3]);
    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    expect(await store.events(third.id)).toMatchObject([{ event_type: 'requested' }, { replaces: null }]);
  });

  it('ends one that had expired unnoticed', async () => {
    const first = await store.register.grant(terms('late', { declined: ['c'] }));
    const until = new Date(Date.now() - 1_000);
    await store.change(first.id, { until });
    const second = await store.register.grant(terms('late', { scopes: ['a'] }));
    expect(second).toMatchObject({ version: 2, declined: [], status: 'active' });
    expect(await store.register.find(first.id)).toMatchObject({ status: 'expired', endedAt: until });
    expect((await store.events(second.id)).map(({ replaces }) => replaces)).toEqual([null, null]);
    expect(await store.lastChange()).toMatchObject({ reason: 'expired', members: { consentId: first.id } });
  });

  it('leaves those of other people and clients alone', async () => {
    const own = await store.register.grant(terms('neighbour'));
    const ofOther = await store.register.grant(terms('neighbour', { clientId: 'other' }));
    const byOther = await store.register.grant(terms('neighbour too'));
    expect([own.version, ofOther.version, byOther.version]).toEqual([1, 1, 1]);
    expect(await store.register.findActive('neighbour', 'app')).toEqual(own);
  });
});

describe('a consent that grows', () => {
  it('keeps its identifier and its beginning', async () => {
    const first = await store.register.grant(
      terms('grower', { scopes: ['a'], purposes: ['p'], detail: 'minimal' }),
    );
    const until = after(LATER);
    const wider = terms('grower', { until, policyVersion: 'v2' });
    const second = await store.register.grant(wider);
    expect(second).toEqual({
      ...first,
      version: 2,
      scopes: ['a', 'b'],
      purposes: ['p', 'q'],
      detail: 'full',
      until,
    });
    expect(await store.register.find(first.id)).toEqual(second);
    expect(await store.lastChange()).not.toMatchObject({ members: { consentId: first.id } });
    const [, , requested, extended] = await store.events(first.id);
    expect(requested).toMatchObject({
      event_type: 'requested',
      entity_id: 'app',
      policy_version: 'v2',
      version: 2,
      privacy_notice: null,
      scopes: ['a', 'b'],
    });
    expect(extended).toMatchObject({
      event_type: 'extended',
      entity_id: 'grower',
      policy_version: 'v2',
      version: 2,
      privacy_notice: NOTICE,
      scopes: ['a', 'b'],
      replaces: null,
    });
    expect(extended?.event_time).toEqual(requested?.event_time);
  });

  it('stays itself when it is given again', async () => {
    const first = await store.register.grant(terms('same'));
    expect(await store.register.grant(terms('same'))).toEqual({ ...first, version: 2 });
    const minimal = await store.register.grant(terms('modest', { detail: 'minimal' }));
    expect(await store.register.grant(terms('modest', { detail: 'minimal' }))).toMatchObject({
      id: minimal.id,
    });
  });

  it('remembers what was refused earlier, unless it is given now', async () => {
    await store.register.grant(terms('picky', { declined: ['c', 'd'], declinedPurposes: ['r', 's'] }));
    const next = terms('picky', {
      scopes: ['a', 'b', 'c'],
      declined: ['d', 'e'],
      purposes: ['p', 'q', 'r'],
      declinedPurposes: ['s', 't'],
    });
    expect(await store.register.grant(next)).toMatchObject({
      declined: ['d', 'e'],
      declinedPurposes: ['s', 't'],
    });
    const silent = terms('picky', { scopes: ['a', 'b', 'c'], purposes: ['p', 'q', 'r'] });
    expect(await store.register.grant(silent)).toMatchObject({
      declined: ['d', 'e'],
      declinedPurposes: ['s', 't'],
    });
  });
});

describe('a consent that shrinks', () => {
  it.each([
    ['by a scope', { scopes: ['a', 'c'] }],
    ['by a purpose', { purposes: ['q', 'r'] }],
    ['in detail', { detail: 'minimal' as const }],
    ['in detail of a kind of data', { levels: { location: ['city'] } }],
    ['in time', { until: before(LATER) }],
  ])('%s is replaced, and its tokens end', async (name, narrower) => {
    const first = await store.register.grant(terms(name, { declined: ['d'] }));
    await store.hold('RefreshToken', name, { grant_id: first.id });
    const second = await store.register.grant(terms(name, narrower));
    expect(second).toMatchObject({ version: 2, status: 'active', declined: ['d'], ...narrower });
    expect(second.id).not.toBe(first.id);

    const change = await store.lastChange();
    expect(change).toMatchObject({
      kind: expect.stringContaining('session-revoked') as string,
      members: { consentId: first.id, subject: name, clientId: 'app' },
      initiator: 'user',
      reason: 'narrowed',
    });
    expect(await store.register.find(first.id)).toEqual({
      ...first,
      status: 'replaced',
      endedAt: change?.occurred_at,
      endedBy: name,
      endedReason: `replaced by ${second.id}`,
    });
    expect(second.grantedAt).toEqual(change?.occurred_at);
    expect(await store.held()).not.toContain(name);

    const ended = (await store.events(first.id)).at(-1);
    expect(ended).toMatchObject({
      event_type: 'narrowed',
      entity_id: name,
      reason: `replaced by ${second.id}`,
      event_time: second.grantedAt,
    });
    expect(await store.events(second.id)).toMatchObject([
      { event_type: 'requested', replaces: null, event_time: second.grantedAt },
      { event_type: 'granted', replaces: first.id, event_time: second.grantedAt },
    ]);
  });

  it('leaves the tokens of other consents', async () => {
    const { id } = await store.register.grant(terms('keeper'));
    await store.hold('RefreshToken', 'of another consent', { grant_id: 'another' });
    await store.register.grant(terms('keeper', { scopes: ['a'] }));
    expect(await store.held()).toContain('of another consent');
    expect(await store.register.find(id)).toMatchObject({ status: 'replaced' });
  });
});

it('decisions at the same moment are taken one after the other', async () => {
  const answers = await Promise.all([1, 2, 3, 4].map(() => store.register.grant(terms('hasty'))));
  expect(answers.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4]);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
});

describe('a decision about a consent that changed meanwhile', () => {
  it.each<[string, (name: string) => Promise<{ readonly id: string; readonly version: number } | undefined>]>(
    [
      ['there was none, and there is one', async () => undefined],
      [
        'it was extended',
        async (name) => {
          const seen = await store.register.grant(terms(name, { scopes: ['a'] }));
          await store.register.grant(terms(name, { scopes: ['a', 'b'] }));
          return seen;
        },
      ],
      [
        'it was replaced',
        async (name) => {
          const seen = await store.register.grant(terms(name));
          await store.register.narrow(seen.id, { removeScopes: ['b'], by: name });
          return seen;
        },
      ],
      [
        'it was revoked',
        async (name) => {
          const seen = await store.register.grant(terms(name));
          await store.register.revokeConsent(seen.id, BY_ADMIN);
          return seen;
        },
      ],
    ],
  )('is not recorded: %s', async (what, prepare) => {
    const seen = await prepare(what);
    if (seen === undefined) await store.register.grant(terms(what));
    const before = await store.register.listForSubject(what);
    expect(await store.register.grantOver(seen, terms(what))).toBeUndefined();
    expect(await store.register.listForSubject(what)).toEqual(before);
  });

  it.each([
    ['none is in force', undefined],
    ['it is the one in force', { scopes: ['a'] }],
  ])('is recorded once, when it arrives several times at once: %s', async (what, first) => {
    const seen = first && (await store.register.grant(terms(what, first)));
    const granting = Array.from({ length: 5 }, () => store.register.grantOver(seen, terms(what)));
    const granted = (await Promise.all(granting)).filter((consent) => consent !== undefined);
    expect(granted).toMatchObject([{ version: first === undefined ? 1 : 2, status: 'active' }]);
    expect(await store.register.listForSubject(what)).toEqual(granted);
  });

  it('is recorded after the consent that was seen has expired', async () => {
    const { id } = await store.register.grant(terms('over'));
    await store.change(id, { until: before(new Date()) });
    expect(await store.register.grantOver(undefined, terms('over'))).toMatchObject({ version: 2 });
  });
});
