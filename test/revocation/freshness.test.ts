import { afterEach, describe, expect, it } from 'vitest';
import { SsfReceiver } from '../../revocation/receiver.js';
import { RevocationView } from '../../revocation/view.js';
import { Cleanup, TestLog, until } from '../gateway/support.js';
import { LIFETIME_SECONDS, ofConsent, token, Transmitter } from './transmitter.js';

const MAX_STALENESS_MS = 10_000;
const NOW_SECONDS = Math.floor(Date.now() / 1000);

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** A receiver whose view has a manual clock. */
async function receive() {
  const transmitter = await Transmitter.start();
  cleanup.add(() => transmitter.close());
  const clock = { ms: 1_800_000_000_000 };
  const view = new RevocationView({
    issuers: [transmitter.url],
    maxStalenessMs: MAX_STALENESS_MS,
    maxTokenLifetimeSeconds: LIFETIME_SECONDS,
    now: () => clock.ms,
  });
  const log = new TestLog();
  const receiver = new SsfReceiver({ issuer: transmitter.url, secret: 'stream-secret' }, view, log);
  cleanup.add(() => receiver.close());
  const polled = async (count: number): Promise<void> => {
    await until(() => transmitter.polls.length >= count, `poll ${count}`);
  };
  return { transmitter, view, clock, log, receiver, polled };
}

describe('the freshness of the view (decision 6)', () => {
  it('counts from the poll’s start, however late its answer', async () => {
    const { transmitter, view, clock, receiver, polled } = await receive();
    transmitter.beforeAnswer = () => {
      clock.ms += 4_000;
      // The next poll stays unanswered.
      transmitter.beforeAnswer = () => new Promise(() => undefined);
    };
    receiver.start();
    await polled(2);
    expect(view.ageSeconds).toBe(4);
    clock.ms += MAX_STALENESS_MS - 4_000;
    expect(view.isFresh()).toBe(true);
    clock.ms += 1;
    expect(view.isFresh()).toBe(false);
  });

  it('is not gained by an answer older than the staleness limit', async () => {
    const { transmitter, view, clock, receiver, polled } = await receive();
    transmitter.beforeAnswer = () => {
      clock.ms += MAX_STALENESS_MS + 1;
    };
    await transmitter.announce(ofConsent('x'));
    receiver.start();
    for (let round = 1; round <= 4; round += 1) {
      await polled(round);
      expect(view.isFresh()).toBe(false);
    }
    // Received all the same.
    expect(view.isRevoked(token({ issuer: transmitter.url, consentId: 'x', issuedAt: NOW_SECONDS }))).toBe(
      true,
    );
  });

  it('is lost during a long poll, and regained by the next', async () => {
    const { transmitter, view, clock, receiver } = await receive();
    receiver.start();
    await until(() => view.isFresh(), 'the view is fresh');
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    transmitter.beforeAnswer = () => held;
    clock.ms += MAX_STALENESS_MS + 1;
    expect(view.isFresh()).toBe(false);
    transmitter.beforeAnswer = undefined;
    release();
    await until(() => view.isFresh(), 'the view is fresh again');
    expect(view.ageSeconds).toBe(0);
  });
});
