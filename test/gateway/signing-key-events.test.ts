import { afterEach, describe, expect, it } from 'vitest';
import { Issuers } from '../../gateway/authenticate/issuers.js';
import { SIGNING_KEY_REVOKED, SIGNING_KEY_ROTATED } from '../../revocation/key-events.js';
import { SsfReceiver } from '../../revocation/receiver.js';
import { RevocationView } from '../../revocation/view.js';
import { AUDIENCE, Cleanup, makeKey, TestIssuer, TestLog, until } from './support.js';
import { LIFETIME_SECONDS, ofConsent, token, Transmitter } from '../revocation/transmitter.js';

const ofKey = (id: unknown) => ({ format: 'complex', key: { format: 'opaque', id } });
const NOW_SECONDS = Math.floor(Date.now() / 1000);

describe('tokens of a leaked key', () => {
  const signedBy = (keyId: string | undefined, issuer: string, issuedAt = NOW_SECONDS) => ({
    ...token({ issuer, issuedAt }),
    keyId,
  });

  it('are dead forever, whatever their time, as are tokens without a kid', () => {
    let nowMs = Date.now();
    const view = new RevocationView({
      issuers: ['a', 'b'],
      maxStalenessMs: 1_000,
      maxTokenLifetimeSeconds: LIFETIME_SECONDS,
      now: () => nowMs,
    });
    expect(view.isRevoked(signedBy(undefined, 'a'))).toBe(false);
    expect(view.revoke({ issuer: 'a', keyId: 'leaked' }, NOW_SECONDS)).toBe(true);
    nowMs += 1_000 * LIFETIME_SECONDS * 1_000;
    view.markComplete('a', nowMs);
    for (const keyId of ['leaked', undefined]) {
      expect(view.isRevoked(signedBy(keyId, 'a', NOW_SECONDS + 1_000_000))).toBe(true);
    }
    expect(view.isRevoked(signedBy('other', 'a'))).toBe(false);
    expect(view.isRevoked(signedBy('leaked', 'b'))).toBe(false);
    expect(view.isRevoked(signedBy(undefined, 'b'))).toBe(false);
  });

  it('are tracked for a bounded number of keys; beyond, the view is stale', () => {
    const view = new RevocationView({ issuers: ['a'], maxStalenessMs: 1_000, maxTokenLifetimeSeconds: 60 });
    for (let count = 0; count < 1_000; count++)
      expect(view.revoke({ issuer: 'a', keyId: `k${count}` }, 0)).toBe(true);
    expect(view.revoke({ issuer: 'a', keyId: 'one-more' }, 0)).toBe(false);
    expect(view.revoke({ issuer: 'a', keyId: 'k7' }, 0)).toBe(true);
    expect(view.isRevoked(signedBy('k999', 'a'))).toBe(true);
  });
});

describe('signing key events', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function receive() {
    const transmitter = await Transmitter.start();
    cleanup.add(() => transmitter.close());
    const issuer = transmitter.url;
    const view = new RevocationView({
      issuers: [issuer],
      maxStalenessMs: 2_000,
      maxTokenLifetimeSeconds: 600,
    });
    const log = new TestLog();
    const refreshed: string[] = [];
    const receiver = new SsfReceiver({ issuer, secret: 'stream-secret' }, view, log, async (name) => {
      refreshed.push(name);
    });
    cleanup.add(() => receiver.close());
    receiver.start();
    await until(() => view.isFresh(), 'the view is fresh');
    return { transmitter, issuer, view, log, refreshed };
  }

  it.each([SIGNING_KEY_ROTATED, SIGNING_KEY_REVOKED])(
    '%s has the issuer’s keys refetched',
    async (eventType) => {
      const { transmitter, issuer, log, refreshed, view } = await receive();
      await transmitter.announce(ofKey('k-1'), { eventType, event: {} });
      await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
      expect(refreshed).toEqual([issuer]);
      expect(log.codes()).toContain(
        eventType === SIGNING_KEY_REVOKED ? 'SIGNING_KEY_REVOKED' : 'SIGNING_KEY_ROTATED',
      );
      const signed = { ...token({ issuer, issuedAt: NOW_SECONDS }), keyId: 'k-1' };
      expect(view.isRevoked(signed)).toBe(eventType === SIGNING_KEY_REVOKED);
    },
  );

  it.each([
    ['no key', { format: 'complex' }],
    ['a key and something else', { ...ofKey('k-1'), user: { format: 'opaque', id: 'u' } }],
    ['a key of another format', { format: 'complex', key: { format: 'email', email: 'k' } }],
    ['a key without a name', ofKey('')],
    ['a simple subject', { format: 'opaque', id: 'k-1' }],
  ])('one that names %s is not acknowledged, and the view grows stale', async (_name, subject) => {
    const { transmitter, view, refreshed } = await receive();
    await transmitter.announce(subject, { eventType: SIGNING_KEY_REVOKED, event: {} });
    await until(() => !view.isFresh(), 'the view is stale');
    expect(transmitter.queue.size).toBe(1);
    expect(refreshed).toEqual([]);
  });

  it('keys that cannot be refetched do not block the stream', async () => {
    const transmitter = await Transmitter.start();
    cleanup.add(() => transmitter.close());
    const issuer = transmitter.url;
    const view = new RevocationView({
      issuers: [issuer],
      maxStalenessMs: 2_000,
      maxTokenLifetimeSeconds: 600,
    });
    const log = new TestLog();
    const fails = () => Promise.reject(new Error('no keys'));
    const receiver = new SsfReceiver({ issuer, secret: 'stream-secret' }, view, log, fails);
    cleanup.add(() => receiver.close());
    receiver.start();
    await transmitter.announce(ofKey('k-1'), { eventType: SIGNING_KEY_ROTATED, event: {} });
    await transmitter.announce(ofConsent('c-1'));
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    await until(() => log.codes().includes('ISSUER_KEYS_NOT_REFRESHED'), 'it is logged');
    expect(view.isRevoked(token({ issuer, consentId: 'c-1', issuedAt: NOW_SECONDS }))).toBe(true);
  });

  it('the keys are refetched at once, even within the pause', async () => {
    const issuer = await TestIssuer.start();
    cleanup.add(() => issuer.close());
    const issuers = new Issuers([{ issuer: issuer.url, audience: AUDIENCE }]);
    await issuers.refreshKeys(issuer.url);
    await issuers.refreshKeys('https://unknown.example');
    expect(issuer.keyRequests).toBe(0);
    await issuers.verify(await issuer.mint());
    issuer.keys = [await makeKey()];
    const next = await issuer.mint();
    // Without the event, the unknown key is not fetched so soon.
    await expect(issuers.verify(next)).rejects.toMatchObject({ refusal: { code: 'INVALID_TOKEN' } });
    await issuers.refreshKeys(issuer.url);
    await expect(issuers.verify(next)).resolves.toMatchObject({ keyId: issuer.keys[0]?.kid });
    expect(issuer.keyRequests).toBe(2);
  });
});
