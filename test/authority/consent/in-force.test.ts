import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { wake } from '../../../authority/changes/channels.js';
import { GatewayAcknowledgements } from '../../../authority/consent/in-force.js';
import type { ChangePosition } from '../../../authority/consent/types.js';
import { BY_ADMIN, MINUTE_MS, terms, TestStore } from './support.js';
import { pause } from '../../support/wait.js';

let store: TestStore;
let acknowledgements: GatewayAcknowledgements;
let change: ChangePosition;
const logged: string[] = [];
beforeAll(async () => {
  store = await TestStore.open();
  const { id } = await store.register.grant(terms('alma'));
  await store.register.revokeToken('earlier', BY_ADMIN);
  const revocation = await store.register.revokeConsent(id, BY_ADMIN);
  if (revocation.change === undefined) throw new Error('nothing was revoked');
  change = revocation.change;
});
afterAll(() => store.close());
beforeEach(async () => {
  await store.db.deleteFrom('authority.stream').execute();
  const log = { log: (_level: string, code: string) => void logged.push(code) };
  acknowledgements = await GatewayAcknowledgements.open({ databaseUrl: store.url, db: store.db, log });
});
afterEach(async () => {
  await acknowledgements.close();
  // It listened all the time: otherwise it would look once a second, which is hard to tell on a busy machine.
  expect(logged).toEqual([]);
});

interface Follower {
  readonly delivered?: number;
  readonly name?: string | null;
  readonly maxStalenessMs?: number | null;
  readonly silentMs?: number;
}

let created = 0;
async function follow(id: string, follower: Follower = {}): Promise<void> {
  created += 1;
  await store.db
    .insertInto('authority.stream')
    .values({
      id,
      events: [],
      delivered_seq: follower.delivered ?? change.seq,
      description: follower.name ?? null,
      max_staleness_ms: follower.maxStalenessMs === undefined ? MINUTE_MS : follower.maxStalenessMs,
      created_at: new Date(created),
      polled_at: new Date(Date.now() - (follower.silentMs ?? 0)),
    })
    .execute();
}

async function acknowledge(id: string, seq: number): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await trx.insertInto('authority.stream_ack').values({ stream_id: id, seq }).execute();
    await wake(trx, 'acknowledged');
  });
}

/** Longer than a test has: whoever waits for all of it fails. */
const LONG_MS = 3_600_000;

async function timed<Result>(work: Promise<Result>): Promise<[Result, number]> {
  const started = performance.now();
  return [await work, performance.now() - started];
}

const EVERYWHERE = { everywhere: true, gateways: 0, waitingFor: [], silent: [] };

describe('a change is in force', () => {
  it('everywhere when there is no gateway, or only receivers that are none', async () => {
    expect(await acknowledgements.inForce(change, 0)).toEqual(EVERYWHERE);
    await follow('receiver', { delivered: 0, maxStalenessMs: null });
    expect(await acknowledgements.inForce(change, 0)).toEqual(EVERYWHERE);
  });

  it('at those that have acknowledged it, or everything up to it', async () => {
    await follow('up-to-date');
    await follow('ahead', { delivered: change.seq + 1 });
    await follow('behind', { delivered: change.seq - 1, name: 'gateway 3' });
    await follow('far-behind', { delivered: 0 });
    const state = { everywhere: false, gateways: 4, waitingFor: ['gateway 3', 'far-behind'], silent: [] };
    expect(await acknowledgements.inForce(change, 0)).toEqual(state);
    expect(await acknowledgements.inForce(change, -1)).toEqual(state);
    await acknowledge('behind', change.seq);
    await acknowledge('far-behind', change.seq - 1);
    expect(await acknowledgements.inForce(change, 0)).toEqual({ ...state, waitingFor: ['far-behind'] });
    await acknowledge('far-behind', change.seq);
    expect(await acknowledgements.inForce(change, 0)).toEqual({ ...state, everywhere: true, waitingFor: [] });
  });

  it('at those that have been silent for so long that they deny everything', async () => {
    await follow('silent', { delivered: 0, silentMs: MINUTE_MS + 1, name: 'gateway 1' });
    await follow('quiet', { delivered: 0, silentMs: MINUTE_MS / 2 });
    expect(await acknowledgements.inForce(change, 0)).toEqual({
      everywhere: false,
      gateways: 1,
      waitingFor: ['quiet'],
      silent: ['gateway 1'],
    });
  });

  it('with all before it, when none is named', async () => {
    await follow('behind', { delivered: change.seq - 1 });
    await follow('up-to-date');
    expect(await acknowledgements.inForce(undefined, 0)).toMatchObject({ waitingFor: ['behind'] });
    expect(await acknowledgements.inForce({ ...change, seq: change.seq - 1 }, 0)).toMatchObject({
      everywhere: true,
    });
  });
});

describe('whoever waits for a change to be in force', () => {
  it('is answered at once when it is', async () => {
    await follow('up-to-date');
    const state = await acknowledgements.inForce(change, LONG_MS);
    expect(state).toEqual({ ...EVERYWHERE, gateways: 1 });
  });

  it('is answered when the last gateway acknowledges it', async () => {
    await follow('behind', { delivered: 0 });
    const answer = acknowledgements.inForce(change, LONG_MS);
    await pause();
    await acknowledge('behind', change.seq);
    const state = await answer;
    expect(state).toMatchObject({ everywhere: true, gateways: 1 });
  });

  it('is told who has not, after the time that they would wait', async () => {
    await follow('behind', { delivered: 0 });
    const [state, ms] = await timed(acknowledgements.inForce(change, 300));
    expect(state).toMatchObject({ everywhere: false, waitingFor: ['behind'] });
    expect(ms).toBeGreaterThanOrEqual(290);
  });

  it('is answered when the last gateway has been silent for too long', async () => {
    await follow('first', { delivered: 0, maxStalenessMs: 300 });
    await follow('last', { delivered: 0, maxStalenessMs: 700 });
    const state = await acknowledgements.inForce(change, LONG_MS);
    expect(state).toEqual({ everywhere: true, gateways: 0, waitingFor: [], silent: ['first', 'last'] });
  });

  it('is told the present state when the authority stops', async () => {
    await follow('behind', { delivered: 0 });
    const answer = acknowledgements.inForce(change, LONG_MS);
    await pause();
    await acknowledgements.close();
    const state = await answer;
    expect(state).toMatchObject({ everywhere: false, waitingFor: ['behind'] });
  });

  it('is not kept waiting behind a hundred others', async () => {
    await follow('behind', { delivered: 0 });
    const waiting = Array.from({ length: 100 }, () => acknowledgements.inForce(change, LONG_MS));
    const state = await acknowledgements.inForce(change, LONG_MS);
    expect(state).toMatchObject({ everywhere: false });
    await acknowledge('behind', change.seq);
    await Promise.all(waiting);
    // They are gone, so the next one waits again.
    await store.db.deleteFrom('authority.stream_ack').execute();
    const [, again] = await timed(acknowledgements.inForce(change, 300));
    expect(again).toBeGreaterThanOrEqual(290);
  });
});
