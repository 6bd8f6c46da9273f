import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { consentForToken, isSessionEnded } from '../../../authority/consent/token.js';
import type { TokenSource } from '../../../authority/consent/token.js';
import type { Consent } from '../../../authority/consent/types.js';
import { verifyConsents } from '../../../authority/consent/verify.js';
import { BY_ADMIN, terms, TestStore } from './support.js';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());

const NOW_SECONDS = Math.floor(Date.now() / 1_000);

async function granted(subject: string): Promise<{ consent: Consent; source: TokenSource }> {
  const consent = await store.register.grant(terms(subject));
  return {
    consent,
    source: { consentId: consent.id, subject, clientId: 'app', issuedAtSeconds: NOW_SECONDS },
  };
}

describe('a token is issued', () => {
  it('under the consent in force', async () => {
    const { consent, source } = await granted('alma');
    expect(await consentForToken(store.db, source)).toEqual(consent);
    expect(await consentForToken(store.db, { ...source, sessionId: 'standing' })).toEqual(consent);
  });

  it('not without a consent, nor under one of another person or client', async () => {
    const { source } = await granted('noor');
    expect(await consentForToken(store.db, { ...source, consentId: 'no such' })).toBeUndefined();
    expect(await consentForToken(store.db, { ...source, subject: 'thief' })).toBeUndefined();
    expect(await consentForToken(store.db, { ...source, clientId: 'thief' })).toBeUndefined();
  });

  it('not under a consent that has ended, recorded or not', async () => {
    const revoked = await granted('revoked');
    await store.register.revokeConsent(revoked.consent.id, BY_ADMIN);
    expect(await consentForToken(store.db, revoked.source)).toBeUndefined();
    const lapsed = await granted('lapsed');
    await store.change(lapsed.consent.id, { until: new Date(Date.now() - 1_000) });
    expect(await consentForToken(store.db, lapsed.source)).toBeUndefined();
  });

  it('not for a code or refresh token as old as the end of its tokens', async () => {
    const { consent, source } = await granted('ended');
    await store.change(consent.id, { tokens_not_before: new Date(NOW_SECONDS * 1_000) });
    const at = (issuedAtSeconds: number) => consentForToken(store.db, { ...source, issuedAtSeconds });
    expect(await at(NOW_SECONDS - 1)).toBeUndefined();
    expect(await at(NOW_SECONDS)).toBeUndefined();
    expect(await at(Number.NaN)).toBeUndefined();
    expect(await at(NOW_SECONDS + 1)).toEqual(consent);
  });

  it('not under a sign-in that was ended', async () => {
    const { source } = await granted('signed out');
    await store.register.revokeSession('sid', BY_ADMIN);
    expect(await consentForToken(store.db, { ...source, sessionId: 'sid' })).toBeUndefined();
    expect(await consentForToken(store.db, { ...source, sessionId: 'other' })).toBeDefined();
    expect(await isSessionEnded(store.db, 'sid')).toBe(true);
    expect(await isSessionEnded(store.db, 'other')).toBe(false);
  });
});

describe('ending the tokens of a consent', () => {
  it('ends codes and refresh tokens; the consent stands, and so do those of others', async () => {
    const { consent } = await granted('reused');
    const other = await granted('other');
    for (const { id } of [consent, other.consent]) await store.hold('RefreshToken', id, { grant_id: id });
    await store.register.endTokens(consent.id, 'reuse');
    const change = await store.lastChange();
    // Without the consent's id, which would end the consent itself at the gateways.
    expect(change).toMatchObject({ initiator: 'policy', entity_id: 'authority', reason: 'reuse' });
    expect(change?.members).toEqual({ subject: 'reused', clientId: 'app' });
    expect(change?.kind).toContain('session-revoked');
    expect(await store.held()).toEqual([other.consent.id]);
    expect(await store.row(consent.id)).toMatchObject({
      status: 'active',
      tokens_not_before: change?.occurred_at,
    });
    expect((await store.row(other.consent.id)).tokens_not_before).toBeNull();
    expect((await verifyConsents(store.db)).differences).not.toContainEqual(
      expect.objectContaining({ consentId: consent.id }),
    );
  });

  it('does nothing for a consent that is not in force', async () => {
    const { consent } = await granted('over');
    await store.register.revokeConsent(consent.id, BY_ADMIN);
    await store.hold('RefreshToken', 'left', { grant_id: consent.id });
    const changes = (await store.changes()).length;
    await store.register.endTokens(consent.id, 'reuse');
    await store.register.endTokens('no such', 'reuse');
    expect(await store.changes()).toHaveLength(changes);
    expect(await store.held()).toContain('left');
    expect((await store.row(consent.id)).tokens_not_before).toBeNull();
  });
});
