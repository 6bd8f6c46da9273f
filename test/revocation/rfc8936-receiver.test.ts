import { afterEach, describe, expect, it } from 'vitest';
import { ACCESS_RESUMED, ACCESS_SUSPENDED, SESSION_REVOKED } from '../../revocation/events.js';
import { SIGNING_KEY_REVOKED, SIGNING_KEY_ROTATED } from '../../revocation/key-events.js';
import { SsfReceiver } from '../../revocation/receiver.js';
import { RevocationView } from '../../revocation/view.js';
import { Cleanup, makeKey, TestLog, until } from '../gateway/support.js';
import { ISSUER, LIFETIME_SECONDS, ofConsent, token, Transmitter } from './transmitter.js';

describe('SsfReceiver (RFC 8936, RFC 8417)', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function receive(options: { maxEntries?: number; maxStalenessMs?: number } = {}) {
    const transmitter = await Transmitter.start();
    cleanup.add(() => transmitter.close());
    const view = new RevocationView({
      issuers: [transmitter.url],
      maxStalenessMs: 700,
      maxTokenLifetimeSeconds: LIFETIME_SECONDS,
      ...options,
    });
    const log = new TestLog();
    const receiver = new SsfReceiver({ issuer: transmitter.url, secret: 'stream-secret' }, view, log);
    cleanup.add(() => receiver.close());
    const isRevoked = (consentId: string): boolean =>
      view.isRevoked(token({ issuer: transmitter.url, consentId, issuedAt: Math.floor(Date.now() / 1000) }));
    return { transmitter, view, log, receiver, isRevoked };
  }

  it('is fresh once caught up, acknowledges applied events, then polls long', async () => {
    const { transmitter, view, receiver, isRevoked } = await receive();
    const first = await transmitter.announce(ofConsent('before'));
    expect(view.isFresh()).toBe(false);
    receiver.start();
    await until(() => view.isFresh(), 'the view is fresh');
    expect(isRevoked('before')).toBe(true);
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    const second = await transmitter.announce(ofConsent('later'));
    await until(() => isRevoked('later'), 'the event is received');
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    expect(transmitter.polls[0]).toEqual({
      ack: [],
      returnImmediately: true,
      authorization: 'Bearer stream-secret',
    });
    expect(transmitter.polls.flatMap(({ ack }) => ack)).toEqual([first, second]);
    expect(transmitter.polls.slice(1).every(({ returnImmediately }) => !returnImmediately)).toBe(true);
    expect(transmitter.streams).toBe(1);
  });

  it('accepts a repeated event', async () => {
    const { transmitter, receiver, isRevoked, view } = await receive();
    const jti = await transmitter.announce(ofConsent('x'));
    const set = transmitter.queue.get(jti) ?? '';
    receiver.start();
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    transmitter.queue.set(jti, set);
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged again');
    expect(isRevoked('x')).toBe(true);
    expect(view.size).toBe(1);
  });

  it.each<[string, (transmitter: Transmitter) => Promise<unknown>]>([
    [
      'signed by a stranger',
      async (transmitter) => {
        transmitter.signer = { ...(await makeKey()), kid: transmitter.published.kid };
        await transmitter.announce(ofConsent('x'));
      },
    ],
    ['of another type of token', (transmitter) => transmitter.announce(ofConsent('x'), { typ: 'at+jwt' })],
    ['for another audience', (transmitter) => transmitter.announce(ofConsent('x'), { aud: 'other' })],
    [
      'of another issuer',
      (transmitter) => transmitter.announce(ofConsent('x'), { iss: 'https://evil.example' }),
    ],
    ['that is not a token', async (transmitter) => transmitter.queue.set('j', 'x')],
    ['without a time', (transmitter) => transmitter.announce(ofConsent('x'), { event: {} })],
    ['of nobody', (transmitter) => transmitter.announce({ format: 'complex' })],
    [
      'of a subject that it cannot read',
      (transmitter) => transmitter.announce({ ...ofConsent('x'), tenant: { format: 'opaque', id: 't' } }),
    ],
  ])('an event %s is not acknowledged, and the view is never fresh', async (_name, announce) => {
    const { transmitter, view, receiver, log } = await receive();
    await announce(transmitter);
    receiver.start();
    await until(
      () => log.codes().filter((code) => code === 'REVOCATION_STREAM_BROKEN').length >= 2,
      'tried again',
    );
    expect(view.isFresh()).toBe(false);
    expect(view.size).toBe(0);
    expect(transmitter.queue.size).toBe(1);
    expect(transmitter.polls.every(({ ack }) => ack.length === 0)).toBe(true);
    expect(log.text).not.toMatch(/stream-secret|eyJ/);
  });

  it.each([90_000, -90_000])(
    'applies everything but is never fresh at a clock skew of %d ms',
    async (clockAheadMs) => {
      const { transmitter, view, log, receiver, isRevoked } = await receive();
      transmitter.clockAheadMs = clockAheadMs;
      await transmitter.announce(ofConsent('x'));
      receiver.start();
      await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
      expect(isRevoked('x')).toBe(true);
      expect(view.isFresh()).toBe(false);
      expect(log.of('REVOCATION_STREAM_BROKEN').map(({ reason }) => reason)).toContain('CLOCK_SKEW');
      transmitter.clockAheadMs = clockAheadMs / 3;
      await until(() => view.isFresh(), 'the view is fresh');
    },
  );

  it('acknowledges events that it did not request', async () => {
    const { transmitter, view, receiver } = await receive();
    await transmitter.announce(ofConsent('x'), {
      eventType: 'https://schemas.openid.net/secevent/ssf/event-type/verification',
    });
    receiver.start();
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    expect(view.isFresh()).toBe(true);
    expect(view.size).toBe(0);
  });

  it('does not acknowledge an event without room', async () => {
    const { transmitter, view, receiver, log } = await receive({ maxEntries: 1 });
    await transmitter.announce(ofConsent('1'));
    receiver.start();
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    await transmitter.announce(ofConsent('2'));
    await until(
      () => log.of('REVOCATION_STREAM_BROKEN').some(({ reason }) => reason === 'VIEW_FULL'),
      'full',
    );
    await until(() => !view.isFresh(), 'the view is stale');
    expect(transmitter.queue.size).toBe(1);
  });

  it('creates a new stream if the transmitter forgot it', async () => {
    const { transmitter, receiver, isRevoked, view } = await receive();
    receiver.start();
    await until(() => view.isFresh(), 'the view is fresh');
    transmitter.mode = 'forgotten';
    await until(() => transmitter.streams === 2, 'a second stream');
    await transmitter.announce(ofConsent('x'));
    await until(() => isRevoked('x'), 'received over the new stream');
  });

  it.each(['error', 'html'] as const)('keeps its stream after a failure (%s)', async (mode) => {
    const { transmitter, receiver, isRevoked, view, log } = await receive();
    receiver.start();
    await until(() => view.isFresh(), 'the view is fresh');
    transmitter.mode = mode;
    await until(() => !view.isFresh(), 'the view is stale');
    await transmitter.announce(ofConsent('x'));
    transmitter.mode = 'up';
    await until(() => view.isFresh(), 'the view is fresh again');
    expect(isRevoked('x')).toBe(true);
    expect(transmitter.streams).toBe(1);
    expect(log.codes()).toContain('REVOCATION_STREAM_BROKEN');
  });

  it('refuses another issuer’s metadata', async () => {
    const transmitter = await Transmitter.start();
    cleanup.add(() => transmitter.close());
    const view = new RevocationView({ issuers: [ISSUER], maxStalenessMs: 700, maxTokenLifetimeSeconds: 60 });
    const log = new TestLog();
    const receiver = new SsfReceiver(
      { issuer: ISSUER, secret: 's', configurationUri: `${transmitter.url}/.well-known/ssf-configuration` },
      view,
      log,
    );
    receiver.start();
    cleanup.add(() => receiver.close());
    await until(() => log.codes().length > 0, 'the event is refused');
    expect(log.of('REVOCATION_STREAM_BROKEN')[0]?.reason).toBe('METADATA_OF_ANOTHER_ISSUER');
    expect(transmitter.streams).toBe(0);
  });

  it('states its identity and staleness at first, and deletes its stream at the end', async () => {
    const { transmitter, view, log } = await receive();
    const options = { issuer: transmitter.url, secret: 'stream-secret', instance: 'gateway-7' };
    const receiver = new SsfReceiver(options, view, log);
    receiver.start();
    await until(() => view.isFresh(), 'the view is fresh');
    expect(transmitter.created).toMatchObject([
      {
        description: 'gateway-7',
        behalf_max_staleness_ms: 700,
        events_requested: [
          SESSION_REVOKED,
          ACCESS_SUSPENDED,
          ACCESS_RESUMED,
          SIGNING_KEY_ROTATED,
          SIGNING_KEY_REVOKED,
        ],
      },
    ]);
    await receiver.close();
    expect(transmitter.deleted).toEqual(['s1']);
  });

  it('closes if the transmitter is gone', async () => {
    const { transmitter, view, receiver } = await receive();
    receiver.start();
    await until(() => view.isFresh(), 'the view is fresh');
    await transmitter.close();
    await receiver.close();
    expect(transmitter.deleted).toEqual([]);
  });

  it('ends a token by its jti and a session by its sid (SSF 1.0 section 3.3)', async () => {
    const { transmitter, view, receiver } = await receive();
    const { url: issuer } = transmitter;
    receiver.start();
    await transmitter.announce({ format: 'complex', token: { format: 'jwt_id', iss: issuer, jti: 't' } });
    await transmitter.announce({ format: 'complex', session: { format: 'opaque', id: 's' } });
    await until(() => view.size === 2, 'the event is received');
    const issuedAt = Math.floor(Date.now() / 1000) + 3;
    expect(view.isRevoked(token({ issuer, tokenId: 't', issuedAt }))).toBe(true);
    expect(view.isRevoked(token({ issuer, sessionId: 's', issuedAt }))).toBe(true);
    // A consent is not a session, nor the reverse.
    expect(view.isRevoked(token({ issuer, consentId: 's', tokenId: 's', issuedAt }))).toBe(false);
  });

  it('closes at once during a long poll or a retry pause', async () => {
    const { transmitter, receiver, view } = await receive();
    receiver.start();
    await until(() => view.isFresh(), 'the view is fresh');
    let answer: (() => void) | undefined;
    transmitter.beforeAnswer = () => new Promise<void>((resolve) => (answer = resolve));
    await until(() => answer !== undefined, 'a poll is under way');
    // The poll is never answered, so whoever waits for it waits for ever.
    await receiver.close();
    answer?.();
    expect(transmitter.streams).toBe(1);
  });
});
