import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Consent, Narrowing } from '../../../authority/consent/types.js';
import { BY_ADMIN, LATER, MINUTE_MS, terms, TestStore } from './support.js';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());

const NOTHING = { consent: undefined, replaced: undefined, change: undefined };
const SOONER = new Date(LATER.getTime() - MINUTE_MS);
const ofRow = ({ id }: Consent) => store.register.find(id);

describe('a person narrows their consent', () => {
  it.each<[string, Partial<Narrowing>, Partial<Consent>]>([
    ['by a scope', { removeScopes: ['b', 'x'] }, { scopes: ['a'], declined: ['z', 'b'] }],
    ['by a purpose', { removePurposes: ['q'] }, { purposes: ['p'], declinedPurposes: ['y', 'q'] }],
    ['in time', { until: SOONER }, { until: SOONER }],
    ['in detail', { detail: 'minimal' }, { detail: 'minimal' }],
    ['in detail of a kind of data', { levels: { location: ['city'] } }, { levels: { location: ['city'] } }],
  ])(
    '%s: what is left is a new consent, and the tokens of the old one end',
    async (name, narrowing, left) => {
      const first = await store.register.grant(terms(name, { declined: ['z'], declinedPurposes: ['y'] }));
      await store.hold('RefreshToken', name, { grant_id: first.id });
      const reason = 'r'.repeat(501);
      const { consent, replaced, change } = await store.register.narrow(first.id, {
        by: name,
        reason,
        ...narrowing,
      });

      const logged = await store.lastChange();
      expect(logged).toMatchObject({
        ...change,
        members: { consentId: first.id, subject: name, clientId: 'app' },
        initiator: 'user',
        reason: 'narrowed',
      });
      expect(Object.keys(change ?? {}).sort()).toEqual(['jti', 'seq']);
      expect(consent).toEqual({
        ...first,
        ...left,
        id: expect.any(String) as string,
        version: 2,
        grantedAt: logged?.occurred_at,
      });
      expect(consent?.id).not.toBe(first.id);
      expect(replaced).toEqual({
        ...first,
        status: 'replaced',
        endedAt: logged?.occurred_at,
        endedBy: name,
        endedReason: 'r'.repeat(500),
      });
      expect(await store.register.find(first.id)).toEqual(replaced);
      expect(await store.register.find(consent?.id ?? '')).toEqual(consent);
      expect(await store.held()).not.toContain(name);

      const event = { entity_id: name, reason: 'r'.repeat(500), event_time: logged?.occurred_at };
      expect((await store.events(first.id)).at(-1)).toMatchObject({ ...event, event_type: 'narrowed' });
      expect(await store.events(consent?.id ?? '')).toMatchObject([
        { ...event, event_type: 'granted', replaces: first.id, privacy_notice: null },
      ]);
    },
  );

  it('and may give no reason', async () => {
    const first = await store.register.grant(terms('terse'));
    const { consent, replaced } = await store.register.narrow(first.id, { by: 'terse', removeScopes: ['a'] });
    expect(replaced?.endedReason).toBe(`replaced by ${consent?.id ?? ''}`);
    expect((await store.events(consent?.id ?? ''))[0]?.reason).toBeNull();
  });

  it('and gets tokens under what is left at once, though those before had ended', async () => {
    const first = await store.register.grant(terms('prompt'));
    await store.register.endTokens(first.id, 'reuse');
    const { consent } = await store.register.narrow(first.id, { by: 'prompt', removeScopes: ['a'] });
    expect((await store.row(consent?.id ?? '')).tokens_not_before).toBeNull();
  });

  it('wakes those who wait for the next consent to end', async () => {
    const first = await store.register.grant(terms('waker'));
    await store.register.narrow(first.id, { by: 'waker', until: new Date(Date.now() + 10_000) });
    expect(await store.register.nextExpiryMs()).toBeLessThanOrEqual(10_000);
  });

  it('of one without purposes, by its scopes', async () => {
    const first = await store.register.grant(terms('aimless', { purposes: [] }));
    const { consent } = await store.register.narrow(first.id, { by: 'aimless', removeScopes: ['a'] });
    expect(consent).toMatchObject({ scopes: ['b'], purposes: [] });
  });
});

describe('narrowing changes nothing', () => {
  it('where nothing of it is in the consent', async () => {
    const first = await store.register.grant(terms('content', { detail: 'minimal' }));
    const changes = await store.changes();
    for (const narrowing of [
      {},
      { removeScopes: ['x'], removePurposes: ['y'], until: LATER, detail: 'minimal' as const },
    ]) {
      expect(await store.register.narrow(first.id, { by: 'content', ...narrowing })).toEqual({
        ...NOTHING,
        consent: first,
      });
    }
    expect(await store.changes()).toEqual(changes);
    expect(await ofRow(first)).toEqual(first);
  });

  it('of another person’s consent, whatever the caller has checked', async () => {
    const first = await store.register.grant(terms('owner'));
    expect(await store.register.narrow(first.id, { by: 'thief', removeScopes: ['a'] })).toEqual(NOTHING);
    expect(await ofRow(first)).toEqual(first);
  });

  it('of a consent that is not there, or not in force', async () => {
    const narrowing = { by: 'over', removeScopes: ['a'] };
    expect(await store.register.narrow('unknown', narrowing)).toEqual(NOTHING);
    const revoked = await store.register.grant(terms('over'));
    await store.register.revokeConsent(revoked.id, BY_ADMIN);
    expect(await store.register.narrow(revoked.id, narrowing)).toEqual(NOTHING);
    const lapsed = await store.register.grant(terms('over'));
    await store.change(lapsed.id, { until: new Date(Date.now() - 1_000) });
    expect(await store.register.narrow(lapsed.id, narrowing)).toEqual(NOTHING);
    expect(await ofRow(lapsed)).toMatchObject({ scopes: ['a', 'b'] });
  });
});

describe('narrowing is refused', () => {
  it.each<[string, Partial<Narrowing>, string]>([
    [
      'when no scope would be left',
      { removeScopes: ['a', 'b'] },
      'Nothing would be left: revoke the consent',
    ],
    [
      'when no purpose would be left',
      { removePurposes: ['p', 'q'] },
      'No purpose would be left: revoke the consent',
    ],
    [
      'when it would last longer',
      { until: new Date(LATER.getTime() + 1) },
      'Only the person, on the page, can extend',
    ],
    ['when it would be over', { until: new Date(Date.now() - 1) }, 'It would be over: revoke the consent'],
    ['when it would end at no time', { until: new Date(Number.NaN) }, 'It would be over: revoke the consent'],
    [
      'when it would give more detail',
      { detail: 'full' },
      'Only the person, on the page, can give more detail',
    ],
  ])('%s', async (name, narrowing, message) => {
    const first = await store.register.grant(terms(name, { detail: 'minimal' }));
    await expect(store.register.narrow(first.id, { by: name, ...narrowing })).rejects.toThrow(
      new RangeError(message),
    );
    expect(await ofRow(first)).toEqual(first);
  });
});
