import { afterEach, describe, expect, it } from 'vitest';
import { ACCESS_SUSPENDED } from '../../revocation/events.js';
import { SsfReceiver } from '../../revocation/receiver.js';
import { RevocationView } from '../../revocation/view.js';
import { Cleanup, TestLog, until } from '../gateway/support.js';
import { LIFETIME_SECONDS, ofConsent, token, Transmitter } from './transmitter.js';
import { pause } from '../support/wait.js';

const MAX_STALENESS_MS = 60_000;
const NOW_SECONDS = Math.floor(Date.now() / 1000);

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface Setting {
  readonly isForeign?: boolean;
  /** Runs before the receiver starts; then the test does not wait for freshness. */
  readonly arrange?: (transmitter: Transmitter) => unknown;
}

async function receive({ isForeign = false, arrange }: Setting = {}) {
  const transmitter = await Transmitter.start();
  cleanup.add(() => transmitter.close());
  transmitter.hasStreamSecrets = !isForeign;
  // The first stream of a foreign transmitter was created in its console.
  if (isForeign) transmitter.streams = 1;
  const issuer = transmitter.url;
  const view = new RevocationView({
    issuers: [issuer],
    maxStalenessMs: MAX_STALENESS_MS,
    maxTokenLifetimeSeconds: LIFETIME_SECONDS,
  });
  const log = new TestLog();
  const foreign = { deliveryEndpoint: `${issuer}/poll/s1`, audience: 'gateway', jwksUri: `${issuer}/jwks` };
  const options = { issuer, secret: 'bootstrap', ...(isForeign ? { foreign } : {}) };
  const receiver = new SsfReceiver(options, view, log);
  cleanup.add(() => receiver.close());
  await arrange?.(transmitter);
  receiver.start();
  if (arrange === undefined) await until(() => view.isFresh(), 'the view is fresh');
  const issuedAgo = (seconds: number): boolean =>
    view.isRevoked(token({ issuer, issuedAt: Math.floor(Date.now() / 1000) - seconds }));
  const reasons = () => log.of('REVOCATION_STREAM_BROKEN').map(({ reason }) => reason);
  return { transmitter, issuer, view, log, receiver, issuedAgo, reasons };
}

describe('a stream that has ended', () => {
  it.each([
    ['stopped', 'HTTP_409'],
    ['forgotten', 'HTTP_404'],
    ['unauthorized', 'HTTP_401'],
  ] as const)('because it is %s makes the view stale until a new one catches up', async (mode, reason) => {
    const { transmitter, issuer, view, reasons } = await receive();
    const [jti, set] = await transmitter.sign(ofConsent('in-between'));
    const wasFresh: boolean[] = [];
    transmitter.beforeCreate = () => {
      wasFresh.push(view.isFresh());
      transmitter.queue.set(jti, set);
      transmitter.beforeAnswer = () => wasFresh.push(view.isFresh());
    };
    transmitter.mode = mode;
    await until(() => transmitter.streams === 2, 'a second stream');
    await until(() => view.isFresh(), 'the view is fresh again');
    expect(wasFresh.slice(0, 2)).toEqual([false, false]);
    expect(view.isRevoked(token({ issuer, consentId: 'in-between', issuedAt: NOW_SECONDS }))).toBe(true);
    expect(reasons()).toContain(reason);
    expect(transmitter.deleted).toEqual(['s1']);
  });

  it('permits nothing while the transmitter accepts no new one', async () => {
    const { transmitter, view } = await receive();
    transmitter.metadataInstead = { issuer: 'https://another.example' };
    transmitter.mode = 'stopped';
    await until(() => !view.isFresh(), 'the view is stale, long before it is too old');
    transmitter.mode = 'up';
    transmitter.metadataInstead = {};
    await until(() => view.isFresh(), 'the view is fresh over a new stream');
    expect(transmitter.streams).toBe(2);
  });

  it('leaves suspensions in force until the new one lists the current ones', async () => {
    const { transmitter, issuer, view } = await receive();
    const suspended = (clientId: string) =>
      view.suspensions.codeFor(token({ issuer, clientId, issuedAt: NOW_SECONDS }));
    const client = (id: string) => ({ format: 'complex', application: { format: 'opaque', id } });
    for (const id of ['a', 'b'])
      await transmitter.announce(client(id), { eventType: ACCESS_SUSPENDED, event: {} });
    await until(() => suspended('b') !== undefined, 'suspended');
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    transmitter.metadataInstead = { issuer: 'https://another.example' };
    transmitter.mode = 'stopped';
    await until(() => !view.isFresh(), 'the view is stale');
    expect([suspended('a'), suspended('b')]).toEqual(['CLIENT_SUSPENDED', 'CLIENT_SUSPENDED']);
    // All current ones: the other was resumed in the meantime, which the new stream does not say.
    await transmitter.announce(client('a'), { eventType: ACCESS_SUSPENDED, event: {} });
    transmitter.metadataInstead = {};
    await until(() => view.isFresh(), 'the view is fresh');
    expect([suspended('a'), suspended('b')]).toEqual(['CLIENT_SUSPENDED', undefined]);
  });

  it('has its old events repeated by a new one, and dates them correctly', async () => {
    const { transmitter, issuer, view } = await receive();
    const event = { event_timestamp: NOW_SECONDS - 300 };
    const user = { format: 'complex', user: { format: 'iss_sub', iss: issuer, sub: 's' } };
    await transmitter.announce(user, { event });
    const sets = [...transmitter.queue];
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    transmitter.mode = 'stopped';
    for (const [jti, set] of sets) transmitter.queue.set(jti, set);
    await until(
      () => transmitter.streams === 2 && transmitter.queue.size === 0,
      'the event is received again',
    );
    expect(view.size).toBe(1);
    expect(view.isRevoked(token({ issuer, issuedAt: NOW_SECONDS - 300 }))).toBe(true);
    expect(view.isRevoked(token({ issuer, issuedAt: NOW_SECONDS - 299 }))).toBe(false);
  });

  it.each(['stopped', 'forgotten', 'unauthorized'] as const)(
    'and is foreign (%s) is not recreated; once back, earlier tokens are refused',
    async (mode) => {
      const { transmitter, view, log, issuedAgo } = await receive({ isForeign: true });
      expect(issuedAgo(10)).toBe(false);
      transmitter.mode = mode;
      await until(() => !view.isFresh(), 'the view is stale');
      transmitter.mode = 'up';
      await until(() => view.isFresh(), 'the view is fresh again');
      // The subjects of the missed events are unknown.
      expect(issuedAgo(10)).toBe(true);
      expect(issuedAgo(-10)).toBe(false);
      expect(log.of('REVOCATIONS_LOST')).toHaveLength(1);
      expect(transmitter.created).toEqual([]);
      expect(transmitter.deleted).toEqual([]);
    },
  );

  it('is not one that was briefly unreachable, where nothing is lost', async () => {
    const { transmitter, view, log, issuedAgo } = await receive({ isForeign: true });
    transmitter.mode = 'error';
    await until(() => log.codes().includes('REVOCATION_STREAM_BROKEN'), 'broken');
    expect(view.isFresh()).toBe(true);
    transmitter.mode = 'up';
    const polls = transmitter.polls.length;
    await until(() => transmitter.polls.length > polls, 'polled again');
    expect(issuedAgo(10)).toBe(false);
  });
});

describe('the stream’s own secret', () => {
  it('is for polls and the end, the configured one for creation, and none for metadata', async () => {
    const { transmitter, receiver } = await receive();
    await receiver.close();
    const used = new Map(transmitter.authorizations);
    expect(used.get('GET /.well-known/ssf-configuration')).toBeUndefined();
    expect(used.get('POST /streams')).toBe('Bearer bootstrap');
    expect(used.get('POST /poll/s1')).toBe('Bearer secret-of-s1');
    expect(used.get('DELETE /streams?stream_id=s1')).toBe('Bearer secret-of-s1');
  });

  it('of the previous stream is not used for the next', async () => {
    const { transmitter, view } = await receive();
    transmitter.mode = 'stopped';
    await until(
      () => transmitter.streams === 2 && view.isFresh(),
      'the view is fresh over the second stream',
    );
    expect(new Map(transmitter.authorizations).get('POST /poll/s2')).toBe('Bearer secret-of-s2');
  });

  it.each([7, '', null, {}])('refuses the stream if it is %j', async (behalf_stream_secret) => {
    const arrange = (each: Transmitter) => (each.streamInstead = { behalf_stream_secret });
    const { view, reasons } = await receive({ arrange });
    await until(() => reasons().includes('STREAM_SECRET_UNREADABLE'), 'the stream is refused');
    expect(view.isFresh()).toBe(false);
  });
});

describe('a transmitter’s statement that more is available', () => {
  it.each([true, 'false', 1, null])('%j is not taken for the end', async (moreAvailable) => {
    const arrange = (each: Transmitter) => (each.answerInstead = { moreAvailable });
    const { transmitter, view, reasons } = await receive({ arrange });
    await until(() => reasons().includes('ANSWER_WITHOUT_PROGRESS'), 'no progress');
    expect(view.isFresh()).toBe(false);
    transmitter.answerInstead = { moreAvailable: undefined };
    await until(() => view.isFresh(), 'the view is fresh');
  });

  it('is not believed when a full batch came', async () => {
    const arrange = async (each: Transmitter): Promise<void> => {
      for (let count = 0; count < 500; count += 1)
        each.queue.set(...(await each.sign(ofConsent(`c-${count}`))));
    };
    const { transmitter, view } = await receive({ arrange });
    const wasFresh: boolean[] = [];
    transmitter.beforeAnswer = () => wasFresh.push(view.isFresh());
    await until(() => view.isFresh(), 'the view is fresh');
    // After the first response, and after the one that had no more.
    expect(wasFresh.slice(0, 2)).toEqual([false, false]);
    expect(transmitter.polls.slice(0, 2).map(({ returnImmediately }) => returnImmediately)).toEqual([
      true,
      true,
    ]);
    expect(view.size).toBe(500);
  });

  it('is paced if acknowledgements are ignored', async () => {
    const { transmitter, view, log, issuer } = await receive();
    transmitter.isForgetful = true;
    await transmitter.announce(ofConsent('x'));
    await until(
      () => view.isRevoked(token({ issuer, consentId: 'x', issuedAt: NOW_SECONDS })),
      'the event is received',
    );
    const before = { polls: transmitter.polls.length, heard: log.of('REVOKED').length };
    await pause();
    // The pause begins at 100 ms, so at most one more request is sent.
    expect(transmitter.polls.length - before.polls).toBeLessThanOrEqual(2);
    expect(view.isFresh()).toBe(true);
  });

  it('is paced if answers come at once and empty', async () => {
    const { transmitter, view, issuer } = await receive();
    transmitter.isHasty = true;
    await transmitter.announce(ofConsent('x'));
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    const before = transmitter.polls.length;
    await pause();
    expect(transmitter.polls.length - before).toBeLessThanOrEqual(2);
    // Its announcements are applied all the same.
    await transmitter.announce(ofConsent('y'));
    await until(
      () => view.isRevoked(token({ issuer, consentId: 'y', issuedAt: NOW_SECONDS })),
      'the event is received',
    );
  });

  it('is not believed for an event under another identifier', async () => {
    const arrange = async (each: Transmitter): Promise<void> => {
      const [, set] = await each.sign(ofConsent('x'));
      each.queue.set('another', set);
    };
    const { transmitter, reasons, view } = await receive({ arrange });
    await until(() => reasons().includes('EVENT_MISNAMED'), 'the event is refused');
    expect(view.isFresh()).toBe(false);
    expect(transmitter.queue.has('another')).toBe(true);
  });
});
